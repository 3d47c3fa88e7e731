import {
  type ErrorCode,
  encodeErrorReply,
  encodeReply,
  ProtocolError,
  UnknownCommandError,
} from '../protocol/index.ts';
import { checkPayloadSize, MAX_REPLY_CHARACTERS } from '../protocol/internal/index.ts';
import { type Apply, type CommandConnection, runStep } from '../redis/index.ts';
import type { Served } from '../transport/index.ts';
import type { CommandContext } from './commands/handler.ts';
import { findHandler } from './commands/index.ts';

/** Events of a dispatcher. */
export interface DispatchEvents {
  /** A request was answered. */
  served(command: string, seconds: number): void;
  /** A part of a `together` was answered. It has no time of its own: all parts share one read. */
  partServed(command: string): void;
  /** A request, or a part of one, failed. */
  failed(command: string, code: ErrorCode, error: unknown): void;
}

/** Why nothing can be served now; undefined where everything can. */
export type Refusal = () => ProtocolError | undefined;

const UNKNOWN = 'unknown';

/** Serves one request, whatever transport brought it: checks, runs the command, encodes. Every failure becomes an
 *  error reply; nothing is thrown. */
export class Dispatcher {
  readonly #context: CommandContext;
  readonly #events: DispatchEvents;
  readonly #refusal: Refusal;
  readonly #apply: Apply;

  /** `redis`: where writes are done that no transport wants for itself. */
  constructor(
    redis: CommandConnection,
    context: Omit<CommandContext, 'partServed' | 'partFailed'>,
    events: DispatchEvents,
    refusal: Refusal,
  ) {
    this.#events = events;
    this.#refusal = refusal;
    this.#apply = (step) => runStep(redis, step);
    const partServed = (command: string): void => events.partServed(command);
    this.#context = { ...context, partServed, partFailed: (command, error) => this.#failure(command, error) };
  }

  // No async function: each frame that waits costs a process that serves thousands at once.
  readonly dispatch = (name: string, session: string, payload: string, apply: Apply = this.#apply): Promise<Served> => {
    const started = performance.now();
    const found = findHandler(name);
    const command = found?.command ?? UNKNOWN;
    let effectError: unknown;
    // The parts of a `together` fail alone; the transport has to know if the view among them did.
    const noting: Apply = (step) =>
      apply(step).catch((error: unknown) => {
        effectError = error;
        throw error;
      });
    const answer = (reply: unknown): Served => {
      const json = this.#encode(command, reply);
      this.#events.served(command, (performance.now() - started) / 1000);
      return effectError === undefined ? { json } : { json, error: effectError };
    };
    const refuse = (error: unknown): Served => {
      const failure = this.#failure(command, error);
      this.#events.served(command, (performance.now() - started) / 1000);
      return { json: encodeErrorReply(failure), error: failure };
    };
    try {
      if (!found) throw new UnknownCommandError();
      const closed = this.#refusal();
      if (closed) throw closed;
      checkPayloadSize(payload);
      const { parse, run } = found.handler;
      return run(
        this.#context,
        this.#context.knowledge.read(session),
        parse(payload),
        command === 'together' ? noting : apply,
      )
        .then(answer)
        .catch(refuse);
    } catch (error) {
      return Promise.resolve(refuse(error));
    }
  };

  /** Encodes an answer. Of a `together` a part that cannot be sent fails alone: a view in front of it has counted. */
  #encode(command: string, reply: unknown): string {
    try {
      return encodeWithin(reply, MAX_REPLY_CHARACTERS);
    } catch (error) {
      if (command !== 'together') throw error;
    }
    let left = MAX_REPLY_CHARACTERS;
    const parts = (reply as unknown[]).map((part) => {
      try {
        const json = encodeWithin(part, left);
        left -= json.length;
        return json;
      } catch (error) {
        return encodeErrorReply(this.#failure(command, error));
      }
    });
    return `[${parts.join()}]`;
  }

  /** Counts a failure. Returns what is answered: why nothing can be served, if that is so by now. */
  #failure(command: string, error: unknown): unknown {
    const failure = this.#refusal() ?? (isStackOverflow(error) ? TOO_DEEP : error);
    this.#events.failed(command, failure instanceof ProtocolError ? failure.replyCode : 'internal', failure);
    return failure;
  }
}

// JSON that nests thousands of levels deep can be parsed, but writing it overflows the stack. A reply nests so deep
// only if the payload did.
const TOO_DEEP = new ProtocolError('bad-payload', 'The payload nests too deeply: give plain lists and objects.');

function encodeWithin(reply: unknown, most: number): string {
  const json = encodeReply(reply);
  if (json.length <= most) return json;
  throw new ProtocolError('too-large', 'The answer is larger than 8 MiB: ask for less, for instance with a "limit".');
}

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('call stack');
}
