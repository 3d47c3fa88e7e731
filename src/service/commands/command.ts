import type { CalculatedData } from '../../structures/index.ts';
import type { Apply } from '../../transport/transport.ts';
import type { Combos } from '../combos.ts';

/** What a command may use. */
export interface CommandContext {
  readonly data: CalculatedData;
  readonly combos: Combos;
  /** Whether `at` in a page view counts; else it is ignored and `timeIgnored` is told. */
  readonly acceptTimes: boolean;
  timeIgnored(): void;
}

/** One command of the wire: how its payload is read, what it does. */
export interface Command<Input = unknown, Reply = unknown> {
  readonly name: string;
  /** Other names under which it is served. */
  readonly aliases?: readonly string[];
  /** Reads the payload. Pure.
   *  @throws ProtocolError `bad-payload` or `too-large`. */
  parse(payload: string): Input;
  /** Does it and answers. All its writes are one step, which `apply` does: by itself, or together with the transport's
   *  own note that the request is done. */
  run(context: CommandContext, session: string, input: Input, apply: Apply): Promise<Reply>;
}
