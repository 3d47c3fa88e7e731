import { decodeReply, isWriting, type MalformedReplyError, mustKeep, ProtocolError } from '../protocol/index.ts';
import { checkReply } from '../protocol/internal/index.ts';
import { NotKeptError } from '../transport/client/index.ts';
import type { SessionTransport } from '../transport/index.ts';
import { LONGEST_DEADLINE_MS } from './client-options.ts';
import type { Degraded, DegradedReason } from './degraded.ts';
import { PeerBreakers } from './peer-breakers.ts';
import type { PreparedCommand } from './prepared-command.ts';
import { type NamedCommand, readPart, readParts, togetherText } from './together.ts';
import type { UnservedWarning } from './unserved-warning.ts';
import type { WaitBudget } from './wait-budget.ts';

/** A request that is ready to be sent. */
export interface ReadyRequest extends NamedCommand {
  /** Gets the answer; undefined where none came. Of a request that waits for none: whether it was taken. */
  readonly settle: (answer: unknown) => void;
  /** Whether its caller waits for no answer. */
  readonly isPublished: boolean;
  /** Told why there is no answer, by a caller for whom that is an error. Default: the client's event. */
  readonly fail?: (degraded: Degraded) => void;
}

/** Why requests have no answer. */
type Failure = Pick<Degraded, 'reason' | 'message'> & { readonly isTaken?: true };

/** Sends requests and settles each with its answer, or with `undefined`: counts, breakers and deadlines are here. Budget
 *  and breaker are asked once a message, and a lost message is one miss. */
export class RequestSender {
  readonly counts = { requests: 0, replies: 0, publishes: 0, unheard: 0, messages: 0 };
  readonly degraded: Partial<Record<DegradedReason, number>> = {};
  readonly #transport: SessionTransport;
  readonly #keepDeadlineMs: number;
  readonly #breakers: PeerBreakers;
  readonly #unserved: UnservedWarning;
  readonly #onDegraded: (degraded: Degraded) => void;

  /** `keepDeadlineMs`: how long it tries to have a must-keep command taken. */
  constructor(
    transport: SessionTransport,
    keepDeadlineMs: number,
    unserved: UnservedWarning,
    onDegraded: (degraded: Degraded) => void,
  ) {
    this.#transport = transport;
    this.#keepDeadlineMs = keepDeadlineMs;
    this.#breakers = new PeerBreakers(transport);
    this.#unserved = unserved;
    this.#onDegraded = onDegraded;
  }

  /** Whether requests of a session may travel in one message now. */
  servesTogether(session: string): boolean {
    return this.#transport.serves('together', session);
  }

  /** Whether a request may travel in one message with others of its session, where such messages are served. */
  joins(command: string, session: string): boolean {
    return this.#transport.joins(command, session);
  }

  /** Sends requests of one session in one message, and spends the page's budget while it waits. */
  send(session: string, requests: readonly ReadyRequest[], budget: WaitBudget): void {
    const first = requests[0]!;
    const isAlone = requests.length === 1;
    if (isAlone && first.isPublished) this.#publishReady(session, first);
    else if (isAlone) this.#ask(first.command, first.prepared.text, session, requests, budget);
    else this.#ask('together', togetherText(requests), session, requests, budget);
  }

  /** Sends a command and waits for no answer; settles when Redis has it.
   *  @throws NotKeptError where the command must be kept, its route is durable, and it was not certainly taken. */
  publish(command: string, session: string, prepared: PreparedCommand<unknown> | ProtocolError): Promise<boolean> {
    this.counts.publishes += 1;
    const sent = this.#publish(command, session, prepared);
    sent.then(
      (isTaken) => this.#notePublished(command, isTaken),
      () => this.#notePublished(command, false),
    );
    return sent;
  }

  /** Counts a request that has no answer, and tells of it. Never throws: an error of a listener that the application gave
   *  is its own, and must leave neither this page nor another one waiting. */
  degrade(degraded: Degraded): undefined {
    this.degraded[degraded.reason] = (this.degraded[degraded.reason] ?? 0) + 1;
    try {
      this.#onDegraded(degraded);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
    return undefined;
  }

  /** Ends the breakers' probes. */
  stop(): void {
    this.#breakers.stop();
  }

  #ask(command: string, text: string, session: string, requests: readonly ReadyRequest[], budget: WaitBudget): void {
    const breaker = this.#breakers.breakerFor(command, session);
    const { leftMs } = budget;
    if (breaker.isOpen || !(leftMs > 0)) {
      this.#giveUp(session, requests, breaker.isOpen ? 'breaker-open' : 'deadline');
      return;
    }
    this.counts.messages += 1;
    budget.start();
    void this.#transport.request(command, session, text, Math.min(leftMs, LONGEST_DEADLINE_MS)).then((outcome) => {
      budget.end();
      if (outcome.answered) {
        breaker.succeed();
        this.#unserved.reset();
        this.#settle(session, requests, outcome.json);
      } else {
        if (outcome.reason === 'deadline') breaker.miss();
        this.#settleEach(session, requests, outcome);
      }
    });
  }

  // Settles all before it tells of those that failed.
  #settle(session: string, requests: readonly ReadyRequest[], json: string): void {
    let replies: readonly unknown[];
    try {
      const reply = decodeReply(json);
      replies = requests.length === 1 ? [reply] : readParts(reply, requests.length);
    } catch (error) {
      this.#settleEach(session, requests, failureOf(error));
      return;
    }
    const failed: [ReadyRequest, Degraded][] = [];
    for (let i = 0; i < requests.length; i += 1) {
      const request = requests[i]!;
      try {
        if (request.isPublished) this.#settlePublished(request, isDone(replies[i]));
        else request.settle(requests.length === 1 ? request.prepared.read(replies[i]) : readPart(request, replies[i]));
        if (!request.isPublished) this.counts.replies += 1;
      } catch (error) {
        settleUnanswered(request);
        failed.push([request, { command: request.command, session, ...failureOf(error) }]);
      }
    }
    for (const [request, degraded] of failed) this.#tell(request, degraded);
  }

  #settleEach(session: string, requests: readonly ReadyRequest[], { reason, message, isTaken }: Failure): void {
    for (const request of requests) {
      if (request.isPublished && reason === 'overloaded') this.#publishReady(session, request);
      // As where it is published alone: what a service was given counts as taken. Any other error says that nothing was done.
      else if (request.isPublished) this.#settlePublished(request, isTaken === true || ANSWERED.includes(reason));
      else settleUnanswered(request);
    }
    for (const request of requests) {
      const { command, isPublished } = request;
      if (!isPublished) this.#tell(request, { command, session, reason, ...(message !== undefined && { message }) });
    }
  }

  #tell(request: ReadyRequest, degraded: Degraded): void {
    if (request.fail) request.fail(degraded);
    else this.degrade(degraded);
  }

  // Sends a view all the same: it counts without an answer.
  #giveUp(session: string, requests: readonly ReadyRequest[], reason: DegradedReason): void {
    const [first] = requests;
    if (first!.isPublished) this.#publishReady(session, first!);
    else if (isWriting(first!.command)) this.#publish(first!.command, session, first!.prepared).catch(() => undefined);
    this.#settleEach(session, first!.isPublished ? requests.slice(1) : requests, { reason });
  }

  #publishReady(session: string, request: ReadyRequest): void {
    const { command, prepared } = request;
    void this.#transport
      .publish(command, session, prepared.text)
      .then((isTaken) => this.#settlePublished(request, isTaken));
  }

  #settlePublished(request: ReadyRequest, isTaken: boolean): void {
    this.#notePublished(request.command, isTaken);
    request.settle(isTaken);
  }

  #notePublished(command: string, isTaken: boolean): void {
    if (!isTaken) this.counts.unheard += 1;
    // A durable route takes requests without a service too, so only the others show that one runs.
    else if (!this.#transport.isDurable(command)) this.#unserved.reset();
  }

  async #publish(
    command: string,
    session: string,
    prepared: PreparedCommand<unknown> | ProtocolError,
  ): Promise<boolean> {
    const isKept = mustKeep(command) && this.#transport.isDurable(command);
    if (prepared instanceof ProtocolError) {
      if (!isKept) return false;
      const { replyCode, message } = prepared;
      throw new NotKeptError(replyCode === 'too-large' ? 'TOO_LARGE' : 'BAD_PAYLOAD', message, { cause: prepared });
    }
    if (!isKept) return this.#transport.publish(command, session, prepared.text);
    await this.#transport.sendDurably(command, session, prepared.text, this.#keepDeadlineMs);
    return true;
  }
}

// A request that must not go without an answer is told why it did.
function settleUnanswered(request: ReadyRequest): void {
  if (!request.fail) request.settle(undefined);
}

/** Failures of an answer: a service has the command, and may have done it. */
const ANSWERED: readonly DegradedReason[] = ['internal', 'malformed-reply'];

function isDone(reply: unknown): boolean {
  try {
    checkReply(reply);
    return true;
  } catch {
    return false;
  }
}

function failureOf(error: unknown): Failure {
  const failure = error as ProtocolError | MalformedReplyError;
  const reason = failure instanceof ProtocolError ? failure.replyCode : 'malformed-reply';
  return { reason, message: failure.message };
}
