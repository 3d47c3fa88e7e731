import {
  type ErrorCode,
  encodeErrorReply,
  encodeReply,
  ProtocolError,
  UnknownCommandError,
} from '../protocol/index.ts';
import { checkPayloadSize } from '../protocol/internal/index.ts';
import { type CommandConnection, runStep } from '../redis/index.ts';
import type { Apply, Served } from '../transport/index.ts';
import type { CommandContext } from './commands/handler.ts';
import { findHandler } from './commands/index.ts';

/** Events of a dispatcher. */
export interface DispatchEvents {
  served(command: string, seconds: number): void;
  failed(command: string, code: ErrorCode, error: unknown): void;
}

/** Why nothing can be served now; undefined where everything can. */
export type Refusal = () => ProtocolError | undefined;

/** Serves one request, whatever transport brought it: checks, runs the command, encodes. Every failure becomes an
 *  error reply; nothing is thrown. */
export class Dispatcher {
  readonly #context: CommandContext;
  readonly #events: DispatchEvents;
  readonly #refusal: Refusal;
  readonly #apply: Apply;

  /** `redis`: where writes are done that no transport wants for itself. */
  constructor(redis: CommandConnection, context: CommandContext, events: DispatchEvents, refusal: Refusal) {
    this.#context = context;
    this.#events = events;
    this.#refusal = refusal;
    this.#apply = (step) => runStep(redis, step);
  }

  readonly dispatch = async (
    name: string,
    session: string,
    payload: string,
    apply: Apply = this.#apply,
  ): Promise<Served> => {
    const started = performance.now();
    const served = findHandler(name);
    try {
      if (!served) throw new UnknownCommandError();
      const closed = this.#refusal();
      if (closed) throw closed;
      checkPayloadSize(payload);
      return { json: encodeReply(await served.handle(this.#context, session, payload, apply)) };
    } catch (error) {
      const failure = this.#refusal() ?? (isStackOverflow(error) ? TOO_DEEP : error);
      const code = failure instanceof ProtocolError ? failure.replyCode : 'internal';
      this.#events.failed(served?.command ?? 'unknown', code, failure);
      return { json: encodeErrorReply(failure), error: failure };
    } finally {
      this.#events.served(served?.command ?? 'unknown', (performance.now() - started) / 1000);
    }
  };
}

// JSON that nests thousands of levels deep can be parsed, but writing it overflows the stack. A reply nests so deep
// only if the payload did.
const TOO_DEEP = new ProtocolError('bad-payload', 'The payload nests too deeply: give plain lists and objects.');

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('call stack');
}
