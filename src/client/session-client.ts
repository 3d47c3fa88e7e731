import { EventEmitter } from 'node:events';
import { type CommandMap, type CommandName, isSession, ProtocolError } from '../protocol/index.ts';
import { checkOptions, type OptionForms, warnOnce } from '../protocol/internal/index.ts';
import type { Overlap, SessionTransport } from '../transport/index.ts';
import { checkClientOptions, type SessionClientOptions } from './client-options.ts';
import type { Degraded, DegradedReason } from './degraded.ts';
import { handleWithoutVisitor } from './handle-without-visitor.ts';
import { NotAcknowledgedError } from './not-acknowledged-error.ts';
import { NoticeConsumers } from './notice-consumers.ts';
import { NoticePublisher, type SendAcknowledged } from './notice-publisher.ts';
import { openTransport } from './open-transport.ts';
import { PageRequests } from './page-requests.ts';
import { prepareCommand, prepareOrRefuse } from './prepare-command.ts';
import type { PreparedCommand } from './prepared-command.ts';
import { type ReadyRequest, RequestSender } from './request-sender.ts';
import { RobotCounting } from './robot-counting.ts';
import { type PageOptions, SessionHandle } from './session-handle.ts';
import { TurnQueue } from './turn-queue.ts';
import { UnservedWarning } from './unserved-warning.ts';
import { WaitBudget } from './wait-budget.ts';

/** Counters since the client was made. */
export interface ClientCounters {
  readonly requests: number;
  /** Messages in which requests travelled: fewer, where a page asked several things at once. */
  readonly messages: number;
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
const NO_OPTIONS: PageOptions = {};
const PAGE_OPTIONS: OptionForms<PageOptions> = {
  deadlineMs: 'number',
  page: 'string',
  browser: 'string',
  groups: 'object',
  countedBy: 'object',
};

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
  return isSessionId(session) ? prepareOrRefuse(command, payload) : new ProtocolError('bad-payload', NO_SESSION);
}

/** The serving layer's client: asks the service through Redis, waits at most a deadline, never fails a page.
 *  One per process, shared by all requests. */
export class SessionClient extends EventEmitter<ClientEvents> {
  readonly namespace: string;
  /** How long a page may wait, in milliseconds. */
  readonly deadlineMs: number;
  readonly #transport: SessionTransport;
  readonly #unserved: UnservedWarning;
  readonly #sender: RequestSender;
  readonly #turns = new TurnQueue();
  readonly #consumers: NoticeConsumers;
  readonly #robots: RobotCounting;
  #notices: NoticePublisher | undefined;
  #closed = false;

  /** Begins to connect and returns; never throws because Redis is away.
   *  @throws RangeError or ConnectionOptionsError for a value that cannot be used, RangeError for an unknown option. */
  constructor(options: SessionClientOptions) {
    super();
    const { transport, namespace, deadlineMs, keepDeadlineMs, ...rest } = checkClientOptions(options);
    this.#consumers = new NoticeConsumers({ namespace, ...rest });
    this.namespace = namespace;
    this.deadlineMs = deadlineMs;
    this.#transport = openTransport(transport, { namespace, ...rest });
    this.#robots = new RobotCounting(this.#transport);
    this.#unserved = new UnservedWarning(namespace);
    this.#sender = new RequestSender(this.#transport, keepDeadlineMs, this.#unserved, (degraded) => {
      this.emit('degraded', degraded);
    });
    this.#transport.on('up', () => this.emit('up'));
    this.#transport.on('down', (error) => this.emit('down', error));
    this.#transport.on('unserved', () => this.#unserved.note(this.listenerCount('degraded') > 0));
    this.#transport.on('overlap', (overlap) => this.#reportOverlap(overlap));
  }

  /** Counters so far. */
  get counters(): ClientCounters {
    const { counts, degraded } = this.#sender;
    return { ...counts, degraded: { ...degraded }, lateReplies: this.#transport.lateReplies };
  }

  /** Waits until requests would be sent, at most `deadlineMs` (default 5,000). Whether they would. No page needs it;
   *  scripts do. */
  ready(deadlineMs = 5_000): Promise<boolean> {
    return this.#transport.ready(deadlineMs);
  }

  /** The handle of one session or person for one page: its requests share one deadline, and those of one turn of the event
   *  loop travel as one message.
   *  `session`: a session's id; `sessionOf(token)` makes it from a token, `personOf(userId)` a person's.
   *  @throws RangeError for what is no session (a token must not get here), and for an option that is unknown or of the
   *  wrong type. */
  session(session: string, options: PageOptions = NO_OPTIONS): SessionHandle {
    const { deadlineMs, browser, ...page } = this.#checkPage('client.session', options);
    const budget = new WaitBudget(deadlineMs);
    const requests = this.#requestsOf(session, budget);
    const ofBrowser = browser === undefined ? undefined : this.#requestsOf(browser, budget);
    return new SessionHandle(requests, { ...page, browser: ofBrowser });
  }

  /** The handle of a page that has no visitor: each question is answered with `undefined` at once, nothing is sent or
   *  counted, and `id` is undefined. So a page need not ask whether there is a visitor.
   *  @throws RangeError for an option that is unknown or of the wrong type. */
  withoutVisitor(options: Pick<PageOptions, 'deadlineMs' | 'page'> = NO_OPTIONS): SessionHandle {
    return handleWithoutVisitor(this.#checkPage('client.withoutVisitor', options));
  }

  /** Sends a command and waits for no answer. Settles when Redis has it: whether an instance or a stream took it, as
   *  far as is known.
   *  @throws NotKeptError only where the command must be kept (`mark-notification-seen`, `mark-item-seen`), its route is
   *  durable (streams, inline), and it was not certainly taken. A caller that does not look at the promise finds it in the
   *  counter `unheard` only: it is never an unhandled rejection. */
  publish<C extends CommandName>(command: C, session: string, payload: CommandMap[C]['payload']): Promise<boolean> {
    return this.#sender.publish(command, session, prepare(command, session, payload));
  }

  /** Sends a command alone and waits for its answer, at most `deadlineMs` (and 60,000). `undefined` where none came: the `degraded` event
   *  and the counters say why. Never rejects. */
  request<C extends CommandName>(
    command: C,
    session: string,
    payload: CommandMap[C]['payload'],
    { deadlineMs = this.deadlineMs }: { readonly deadlineMs?: number } = {},
  ): Promise<CommandMap[C]['reply'] | undefined> {
    this.#sender.counts.requests += 1;
    const prepared = prepare(command, session, payload);
    if (prepared instanceof ProtocolError) {
      const { replyCode: reason, message } = prepared;
      const named = isSessionId(session) ? session : '';
      return Promise.resolve(this.#sender.degrade({ command, session: named, reason, message }));
    }
    return new Promise((settle) => {
      const request = { command, prepared, settle: settle as ReadyRequest['settle'], isPublished: false };
      this.#sender.send(session, [request], new WaitBudget(deadlineMs));
    });
  }

  /** Writes notices, and tells what happens with them. */
  get notices(): NoticePublisher {
    this.#notices ??= new NoticePublisher(this.#acknowledged, (consume) => this.#consumers.open(consume));
    return this.#notices;
  }

  /** Counts a request of a robot, for which nothing is asked: the service is told how many there were, at most once a
   *  second. Adapters call it. */
  countRobot(): void {
    if (!this.#closed) this.#robots.add();
  }

  /** Ends the connections; waiting requests settle with `undefined`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#turns.sendNow();
    this.#robots.close();
    this.#sender.stop();
    await Promise.all([this.#transport.close(), this.#consumers.close()]);
  }

  // As `request`, but no answer is an error.
  #acknowledged: SendAcknowledged = (command, session, payload, deadlineMs) => {
    this.#sender.counts.requests += 1;
    return new Promise((settle, reject) => {
      const prepared = prepareCommand(command, payload);
      const fail = ({ reason, message = '' }: Degraded): void => {
        const isRefused = reason === 'bad-payload' || reason === 'too-large';
        reject(isRefused ? new ProtocolError(reason, message) : new NotAcknowledgedError(command, reason, message));
      };
      // Without an answer `fail` is told behind it.
      const settleAnswered = (answer: unknown): void => {
        if (answer !== undefined) settle(answer as Parameters<typeof settle>[0]);
      };
      const request = { command, prepared, settle: settleAnswered, isPublished: false, fail };
      this.#sender.send(session, [request], new WaitBudget(deadlineMs));
    });
  };

  #checkPage(method: string, options: PageOptions): PageOptions & { readonly deadlineMs: number } {
    if (options !== NO_OPTIONS) checkOptions(method, options, PAGE_OPTIONS);
    return { ...options, deadlineMs: options.deadlineMs ?? this.deadlineMs };
  }

  #requestsOf(session: string, budget: WaitBudget): PageRequests {
    if (!isSessionId(session)) throw new RangeError(NO_SESSION);
    return new PageRequests(this.#sender, this.#turns, session, budget);
  }

  #reportOverlap(overlap: Overlap): void {
    if (this.emit('overlap', overlap)) return;
    const globs = overlap.globs.join(' and ');
    warnOnce('SESSIONWISE_OVERLAP', `Two instances of the service share sessions (${globs}): their views count twice.`);
  }
}
