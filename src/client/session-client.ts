import { EventEmitter } from 'node:events';
import {
  type CommandMap,
  type CommandName,
  decodeReply,
  isSession,
  isWriting,
  type MalformedReplyError,
  mustKeep,
  ProtocolError,
} from '../protocol/index.ts';
import { NotKeptError } from '../transport/client/index.ts';
import type { Overlap, SessionTransport } from '../transport/index.ts';
import { warnOnce } from '../transport/index.ts';
import { checkClientOptions, LONGEST_DEADLINE_MS, type SessionClientOptions } from './client-options.ts';
import type { Degraded, DegradedReason } from './degraded.ts';
import { openTransport } from './open-transport.ts';
import { PeerBreakers } from './peer-breakers.ts';
import { type PreparedCommand, prepareCommand } from './prepare-command.ts';
import { SessionHandle, type SessionHandleOptions } from './session-handle.ts';
import { UnservedWarning } from './unserved-warning.ts';
import { WaitBudget } from './wait-budget.ts';

/** Counters since the client was made. */
export interface ClientCounters {
  readonly requests: number;
  readonly replies: number;
  readonly publishes: number;
  /** Publishes that no instance and no stream took, as far as is known. */
  readonly unheard: number;
  readonly degraded: Readonly<Partial<Record<DegradedReason, number>>>;
  /** Replies that came after their deadline. */
  readonly lateReplies: number;
}

interface ClientEvents {
  /** A request settled with `undefined`. */
  degraded: [Degraded];
  /** Two instances of the service share sessions: their views count twice. */
  overlap: [Overlap];
  /** Connected to Redis. */
  up: [];
  /** Redis is away, or refuses what we need; the client goes on trying. */
  down: [Error];
}

const NO_SESSION = 'This is no session id: give 1 to 128 of A-Z, a-z, 0-9, _ and -, or sessionOf(token).';

function isSessionId(session: unknown): session is string {
  return typeof session === 'string' && isSession(session);
}

// Prepares a command. Returns an error, and does not throw it, for a payload that the command does not take and for a
// text that is no session id: that may be a token, which must be neither published nor shown.
function prepare<C extends CommandName>(
  command: C,
  session: unknown,
  payload: CommandMap[C]['payload'],
): PreparedCommand<CommandMap[C]['reply']> | ProtocolError {
  if (!isSessionId(session)) return new ProtocolError('bad-payload', NO_SESSION);
  try {
    return prepareCommand(command, payload);
  } catch (error) {
    return error as ProtocolError;
  }
}

/** The serving layer's client: asks the service through Redis, waits at most a deadline, never fails a page.
 *  One per process, shared by all requests. */
export class SessionClient extends EventEmitter<ClientEvents> {
  readonly namespace: string;
  /** How long a page may wait, in milliseconds. */
  readonly deadlineMs: number;
  readonly #transport: SessionTransport;
  readonly #keepDeadlineMs: number;
  readonly #breakers: PeerBreakers;
  readonly #unserved: UnservedWarning;
  readonly #counts = { requests: 0, replies: 0, publishes: 0, unheard: 0 };
  readonly #degraded: Partial<Record<DegradedReason, number>> = {};
  #closed = false;

  /** Begins to connect and returns; never throws because Redis is away.
   *  @throws RangeError or ConnectionOptionsError for a value that cannot be used, RangeError for an unknown option. */
  constructor(options: SessionClientOptions) {
    super();
    const { transport, namespace, deadlineMs, keepDeadlineMs, ...rest } = checkClientOptions(options);
    this.namespace = namespace;
    this.deadlineMs = deadlineMs;
    this.#keepDeadlineMs = keepDeadlineMs;
    this.#transport = openTransport(transport, { namespace, ...rest });
    this.#breakers = new PeerBreakers(this.#transport);
    this.#unserved = new UnservedWarning(namespace);
    this.#transport.on('up', () => this.emit('up'));
    this.#transport.on('down', (error) => this.emit('down', error));
    this.#transport.on('unserved', () => this.#unserved.note(this.listenerCount('degraded') > 0));
    this.#transport.on('overlap', (overlap) => this.#reportOverlap(overlap));
  }

  /** Counters so far. */
  get counters(): ClientCounters {
    return { ...this.#counts, degraded: { ...this.#degraded }, lateReplies: this.#transport.lateReplies };
  }

  /** Waits until requests would be sent, at most `deadlineMs` (default 5,000). Whether they would. No page needs it;
   *  scripts do. */
  ready(deadlineMs = 5_000): Promise<boolean> {
    return this.#transport.ready(deadlineMs);
  }

  /** The handle of one session for one page: its requests share one deadline.
   *  `session`: a session's id; `sessionOf(token)` makes it from a token.
   *  @throws RangeError for what is no session: a token must not get here. */
  session(session: string, { deadlineMs = this.deadlineMs, page }: SessionHandleOptions = {}): SessionHandle {
    if (!isSessionId(session)) throw new RangeError(NO_SESSION);
    return new SessionHandle(this, session, new WaitBudget(deadlineMs), page);
  }

  /** Sends a command and waits for no answer. Settles when Redis has it: whether an instance or a stream took it, as
   *  far as is known.
   *  @throws NotKeptError only where the command must be kept (`mark-notification-seen`, `mark-item-seen`), its route is
   *  durable (streams, inline), and it was not certainly taken. A caller that does not look at the promise finds it in the
   *  counter `unheard` only: it is never an unhandled rejection. */
  publish<C extends CommandName>(command: C, session: string, payload: CommandMap[C]['payload']): Promise<boolean> {
    this.#counts.publishes += 1;
    const sent = this.#send(command, session, prepare(command, session, payload));
    sent.then(
      (isTaken) => {
        if (!isTaken) this.#counts.unheard += 1;
        // A durable route takes requests without a service too, so only the others show that one runs.
        else if (!this.#transport.isDurable(command)) this.#unserved.reset();
      },
      () => {
        this.#counts.unheard += 1;
      },
    );
    return sent;
  }

  /** Sends a command and waits for its answer, at most `deadlineMs` (and 60,000). `undefined` where none came: the `degraded` event
   *  and the counters say why. Never rejects. */
  async request<C extends CommandName>(
    command: C,
    session: string,
    payload: CommandMap[C]['payload'],
    { deadlineMs = this.deadlineMs }: { readonly deadlineMs?: number } = {},
  ): Promise<CommandMap[C]['reply'] | undefined> {
    this.#counts.requests += 1;
    const prepared = prepare(command, session, payload);
    if (prepared instanceof ProtocolError) {
      const { replyCode: reason, message } = prepared;
      return this.#degrade({ command, session: isSessionId(session) ? session : '', reason, message });
    }
    const breaker = this.#breakers.breakerFor(command, session);
    if (breaker.isOpen || !(deadlineMs > 0)) {
      // Sends a view all the same: it counts without an answer.
      if (isWriting(command)) this.#send(command, session, prepared).catch(() => undefined);
      return this.#degrade({ command, session, reason: breaker.isOpen ? 'breaker-open' : 'deadline' });
    }
    const waitMs = Math.min(deadlineMs, LONGEST_DEADLINE_MS);
    const outcome = await this.#transport.request(command, session, prepared.text, waitMs);
    if (!outcome.answered) {
      if (outcome.reason === 'deadline') breaker.miss();
      return this.#degrade({ command, session, reason: outcome.reason });
    }
    breaker.succeed();
    this.#unserved.reset();
    try {
      const reply = prepared.read(decodeReply(outcome.json));
      this.#counts.replies += 1;
      return reply;
    } catch (error) {
      const failure = error as ProtocolError | MalformedReplyError;
      const reason = failure instanceof ProtocolError ? failure.replyCode : 'malformed-reply';
      return this.#degrade({ command, session, reason, message: failure.message });
    }
  }

  /** Ends the connections; waiting requests settle with `undefined`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#breakers.stop();
    await this.#transport.close();
  }

  #reportOverlap(overlap: Overlap): void {
    if (this.emit('overlap', overlap)) return;
    const globs = overlap.globs.join(' and ');
    warnOnce('SESSIONWISE_OVERLAP', `Two instances of the service share sessions (${globs}): their views count twice.`);
  }

  #degrade(degraded: Degraded): undefined {
    this.#degraded[degraded.reason] = (this.#degraded[degraded.reason] ?? 0) + 1;
    this.emit('degraded', degraded);
    return undefined;
  }

  async #send(
    command: string,
    session: string,
    prepared: Pick<PreparedCommand<unknown>, 'text'> | ProtocolError,
  ): Promise<boolean> {
    const isKept = mustKeep(command) && this.#transport.isDurable(command);
    if (prepared instanceof ProtocolError) {
      if (!isKept) return false;
      const { replyCode, message } = prepared;
      throw new NotKeptError(replyCode === 'too-large' ? 'TOO_LARGE' : 'BAD_PAYLOAD', message, { cause: prepared });
    }
    const { text } = prepared;
    if (!isKept) return this.#transport.publish(command, session, text);
    await this.#transport.sendDurably(command, session, text, this.#keepDeadlineMs);
    return true;
  }
}
