import type { CalculatedData } from '../../structures/index.ts';
import type { Apply } from '../../transport/transport.ts';

/** A rule over items: when all of them were seen, it suggests something and can say because of what. */
export interface Combo {
  readonly name: string;
  /** Items, reduced as all items are; at least one. */
  readonly all: readonly string[];
  readonly suggest: string;
  readonly reason: string;
}

/** What a command may use. */
export interface CommandContext {
  readonly data: CalculatedData;
  readonly combos: readonly Combo[];
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
  parse(payload: string, context: Pick<CommandContext, 'combos'>): Input;
  /** Does it and answers. All its writes are one step, which `apply` does: by itself, or together with the transport's
   *  own note that the request is done. */
  run(context: CommandContext, session: string, input: Input, apply: Apply): Promise<Reply>;
}
