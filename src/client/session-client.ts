import { EventEmitter } from 'node:events';
import { checkOptions, type OptionForms } from '../protocol/check-options.ts';
import {
  type CommandMap,
  type CommandName,
  checkNamespace,
  DEFAULT_NAMESPACE,
  decodeReply,
  type ErrorCode,
  isSession,
  isWriting,
  type MalformedReplyError,
  mustKeep,
  ProtocolError,
} from '../protocol/index.ts';
import { type ConnectionOptions, PARTITIONS } from '../redis/index.ts';
import type { ReplyMode } from '../transport/channels/channel-requester.ts';
import { NotKeptError } from '../transport/not-kept-error.ts';
import type { Overlap } from '../transport/presence.ts';
import type { NoAnswerReason, SessionTransport } from '../transport/transport.ts';
import { warnOnce } from '../transport/warn-once.ts';
import { BREAKER_PROBE_MS, CircuitBreaker } from './circuit-breaker.ts';
import { openTransport, type TransportChoice } from './open-transport.ts';
import { type PreparedCommand, prepareCommand } from './prepare-command.ts';
import { SessionHandle } from './session-handle.ts';
import { WaitBudget } from './wait-budget.ts';

/** Why a value is `undefined`: no answer, an error reply's code (also where the client itself refuses what the service
 *  would: `bad-payload`, `too-large`), a breaker that is open, or a reply that is not of its command's form. */
export type DegradedReason = NoAnswerReason | ErrorCode | 'breaker-open' | 'malformed-reply';

/** A request that settled with `undefined`. */
export interface Degraded {
  readonly command: string;
  /** Empty where what was given is no session id. */
  readonly session: string;
  readonly reason: DegradedReason;
  /** What is wrong, in words: the service's, where it sent an error reply; the client's, where it did not send the
   *  payload or could not use the reply. It can quote the first 60 characters of a wrong payload. */
  readonly message?: string;
}

/** What has happened since the client was made. */
export interface ClientCounters {
  readonly requests: number;
  readonly replies: number;
  readonly publishes: number;
  /** Publishes that nobody took, as far as is known. */
  readonly unheard: number;
  readonly degraded: Readonly<Partial<Record<DegradedReason, number>>>;
  /** Replies that came after their deadline. */
  readonly lateReplies: number;
}

export interface SessionClientOptions {
  /** Where Redis is. Left out only where `transport` is a service's `inline`. */
  readonly redis?: string | ConnectionOptions;
  /** Default `channels`. A service must run with `--transport streams` or `both` for what goes over streams. */
  readonly transport?: TransportChoice;
  /** Over streams: the most requests that may wait in all streams together. What finds no room is refused. Default
   *  100,000. */
  readonly maxBacklog?: number;
  /** Over streams: the namespace's secret, at least 16 characters, with which payloads are sealed. What is sealed with
   *  another is not served and lands in the dead letters. Default: payloads are in the clear. */
  readonly secret?: string;
  /** Over streams: how long `publish` tries to have a must-keep command taken, in milliseconds. Default 2,000. */
  readonly keepDeadlineMs?: number;
  /** Default `sw`. */
  readonly namespace?: string;
  /** How long a page may wait for us, in milliseconds. Default 100. */
  readonly deadlineMs?: number;
  /** `inbox` (default): one subscription carries all replies. `list`: the paper's BLPOP, on pooled connections. */
  readonly replies?: ReplyMode;
  /** Connections for `list` replies; in a Cluster to each master. Default 16. */
  readonly blockingConnections?: number;
  /** Over Redis: requests that wait at once; above it they degrade at once. Default 10,000. */
  readonly maxPending?: number;
}

const OPTIONS: OptionForms<SessionClientOptions> = {
  redis: 'string|object',
  transport: 'any',
  maxBacklog: 'any',
  secret: 'any',
  keepDeadlineMs: 'any',
  namespace: 'string',
  deadlineMs: 'any',
  replies: 'any',
  blockingConnections: 'any',
  maxPending: 'any',
};

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

const LONGEST_DEADLINE_MS = 60_000;
const SHORTEST_SECRET = 16;
const UNSERVED_MS = 2_000;
const NO_SESSION = 'This is no session id: give 1 to 128 of A-Z, a-z, 0-9, _ and -, or sessionOf(token).';

function checkDeadline(name: string, deadlineMs: number): void {
  if (typeof deadlineMs === 'number' && deadlineMs > 0 && deadlineMs <= LONGEST_DEADLINE_MS) return;
  throw new RangeError(`${name} ${shown(deadlineMs)} cannot be used: give more than 0 and at most 60,000.`);
}

function checkCount(name: string, count: number, least = 1): void {
  if (Number.isInteger(count) && count >= least) return;
  throw new RangeError(`${name} ${shown(count)} cannot be used: give a whole number from ${least}.`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function isSessionId(session: unknown): session is string {
  return typeof session === 'string' && isSession(session);
}

// What cannot travel is refused here and not thrown: what the command does not take, and what is no session. That may be
// a token, which must be neither published nor shown.
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
  readonly #breakers = new Map<string, CircuitBreaker>();
  readonly #counts = { requests: 0, replies: 0, publishes: 0, unheard: 0 };
  readonly #degraded: Partial<Record<DegradedReason, number>> = {};
  #unservedSince = Number.POSITIVE_INFINITY;
  #closed = false;

  /** Begins to connect and returns; never throws because Redis is away.
   *  @throws RangeError or ConnectionOptionsError for a value that cannot be used, RangeError for an unknown option. */
  constructor(options: SessionClientOptions) {
    super();
    checkOptions('SessionClient', options, OPTIONS);
    const { namespace = DEFAULT_NAMESPACE, deadlineMs = 100, replies = 'inbox' } = options;
    const { blockingConnections = 16, maxPending = 10_000, maxBacklog = 100_000 } = options;
    const { keepDeadlineMs = 2_000, secret } = options;
    checkDeadline('deadlineMs', deadlineMs);
    checkDeadline('keepDeadlineMs', keepDeadlineMs);
    checkCount('blockingConnections', blockingConnections);
    checkCount('maxPending', maxPending);
    checkCount('maxBacklog', maxBacklog, PARTITIONS);
    if (secret !== undefined && (typeof secret !== 'string' || secret.length < SHORTEST_SECRET)) {
      throw new RangeError(`The secret cannot be used: give the service's, at least ${SHORTEST_SECRET} characters.`);
    }
    if (replies !== 'inbox' && replies !== 'list') {
      throw new RangeError(`replies ${JSON.stringify(replies)} cannot be used: give "inbox" or "list".`);
    }
    this.namespace = checkNamespace(namespace);
    this.deadlineMs = deadlineMs;
    this.#keepDeadlineMs = keepDeadlineMs;
    this.#transport = openTransport(options.transport ?? 'channels', {
      redis: options.redis,
      namespace,
      replies,
      blockingConnections,
      maxPending,
      maxBacklog,
      secret,
    });
    this.#transport.on('up', () => this.emit('up'));
    this.#transport.on('down', (error) => this.emit('down', error));
    this.#transport.on('unserved', () => this.#noteUnserved());
    this.#transport.on('overlap', (overlap) => {
      if (this.emit('overlap', overlap)) return;
      const globs = overlap.globs.join(' and ');
      warnOnce(
        'SESSIONWISE_OVERLAP',
        `Two instances of the service share sessions (${globs}): their views count twice.`,
      );
    });
  }

  /** What has happened so far. */
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
  session(session: string, deadlineMs: number = this.deadlineMs): SessionHandle {
    if (!isSessionId(session)) throw new RangeError(NO_SESSION);
    return new SessionHandle(this, session, new WaitBudget(deadlineMs));
  }

  /** Sends a command and waits for no answer. Settles when Redis has it: whether somebody took it, as far as is known.
   *  @throws NotKeptError only where the command must be kept (`mark-notification-seen`, `mark-item-seen`), its way keeps
   *  it (streams, inline), and it was not certainly taken. Who does not look at the promise hears of it by the counter
   *  `unheard` only: it is never an unhandled rejection. */
  publish<C extends CommandName>(command: C, session: string, payload: CommandMap[C]['payload']): Promise<boolean> {
    this.#counts.publishes += 1;
    const sent = this.#send(command, session, prepare(command, session, payload));
    sent.then(
      (heard) => {
        if (!heard) this.#counts.unheard += 1;
        // Streams take what nobody serves yet.
        else if (!this.#transport.keeps(command)) this.#unservedSince = Number.POSITIVE_INFINITY;
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
    const breaker = this.#breakerFor(command, session);
    if (breaker.isOpen || !(deadlineMs > 0)) {
      // A view that nobody waits for is still a view.
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
    this.#unservedSince = Number.POSITIVE_INFINITY;
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

  /** Ends the connections; what waits settles with `undefined`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const breaker of this.#breakers.values()) breaker.stop();
    await this.#transport.close();
  }

  // A service that is being started is not yet a mistake; and who listens for it hears of it anyhow.
  #noteUnserved(): void {
    const now = performance.now();
    this.#unservedSince = Math.min(this.#unservedSince, now);
    if (now - this.#unservedSince < UNSERVED_MS || this.listenerCount('degraded') > 0) return;
    warnOnce(
      'SESSIONWISE_NOBODY_SERVES',
      `No service answers in the namespace "${this.namespace}": pages go on without answers, and views over channels are lost. Is \`sessionwise serve\` running, for this Redis, --namespace and --transport?`,
    );
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
    const isKept = mustKeep(command) && this.#transport.keeps(command);
    if (prepared instanceof ProtocolError) {
      if (!isKept) return false;
      const { replyCode, message } = prepared;
      throw new NotKeptError(replyCode === 'too-large' ? 'TOO_LARGE' : 'BAD_PAYLOAD', message, { cause: prepared });
    }
    const { text } = prepared;
    if (!isKept) return this.#transport.publish(command, session, text);
    await this.#transport.keep(command, session, text, this.#keepDeadlineMs);
    return true;
  }

  // One breaker per peer: where one of two instances hangs, only its sessions stop waiting.
  #breakerFor(command: string, session: string): CircuitBreaker {
    const peer = this.#transport.peerOf(command, session);
    let breaker = this.#breakers.get(peer);
    if (!breaker) {
      for (const [name, old] of this.#breakers) {
        if (!this.#transport.isGone(name)) continue;
        old.stop();
        this.#breakers.delete(name);
      }
      breaker = new CircuitBreaker(() => this.#transport.probe(command, session, BREAKER_PROBE_MS));
      this.#breakers.set(peer, breaker);
    }
    return breaker;
  }
}
