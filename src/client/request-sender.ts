import { decodeReply, isWriting, type MalformedReplyError, mustKeep, ProtocolError } from '../protocol/index.ts';
import { NotKeptError } from '../transport/client/index.ts';
import type { Outcome, SessionTransport } from '../transport/index.ts';
import { LONGEST_DEADLINE_MS } from './client-options.ts';
import type { Degraded, DegradedReason } from './degraded.ts';
import { PeerBreakers } from './peer-breakers.ts';
import type { PreparedCommand } from './prepare-command.ts';
import { type NamedCommand, readPart, readParts, togetherText } from './together.ts';
import type { UnservedWarning } from './unserved-warning.ts';
import type { WaitBudget } from './wait-budget.ts';

/** A request that is ready to be sent. */
export interface ReadyRequest extends NamedCommand {
  /** Gets the answer; undefined where none came. Of a request that waits for none: whether it was taken. */
  readonly settle: (answer: unknown) => void;
  /** Whether its caller waits for no answer. */
  readonly isPublished: boolean;
}

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

  /** Whether a request may travel in one message with others of its session now. */
  joins(command: string, session: string): boolean {
    return this.#transport.joins(command, session);
  }

  /** Sends requests of one session in one message, and spends the page's budget while it waits. */
  send(session: string, requests: readonly ReadyRequest[], budget: WaitBudget): void {
    const first = requests[0]!;
    if (requests.length === 1 && first.isPublished) return this.#publishReady(session, first);
    const [command, text] =
      requests.length === 1 ? [first.command, first.prepared.text] : ['together', togetherText(requests)];
    const breaker = this.#breakers.breakerFor(command, session);
    const { leftMs } = budget;
    if (breaker.isOpen || !(leftMs > 0)) {
      this.#giveUp(session, requests, breaker.isOpen ? 'breaker-open' : 'deadline');
      return undefined;
    }
    this.counts.messages += 1;
    budget.start();
    this.#transport.request(command, session, text, Math.min(leftMs, LONGEST_DEADLINE_MS)).then((outcome) => {
      budget.end();
      if (outcome.answered) {
        breaker.succeed();
        this.#unserved.reset();
      } else if (outcome.reason === 'deadline') breaker.miss();
      this.#settle(session, requests, outcome);
    });
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

  /** Counts a request that has no answer, and tells of it. */
  degrade(degraded: Degraded): undefined {
    this.degraded[degraded.reason] = (this.degraded[degraded.reason] ?? 0) + 1;
    this.#onDegraded(degraded);
    return undefined;
  }

  /** Ends the breakers' probes. */
  stop(): void {
    this.#breakers.stop();
  }

  #settle(session: string, requests: readonly ReadyRequest[], outcome: Outcome): void {
    if (!outcome.answered) return this.#settleEach(session, requests, outcome.reason);
    let replies: readonly unknown[];
    try {
      const reply = decodeReply(outcome.json);
      replies = requests.length === 1 ? [reply] : readParts(reply, requests.length);
    } catch (error) {
      return this.#settleEach(session, requests, error as ProtocolError | MalformedReplyError);
    }
    for (const [i, request] of requests.entries()) {
      if (request.isPublished) this.#settlePublished(request, true);
      else this.#settleReply(session, request, replies[i], requests.length > 1);
    }
  }

  #settleReply(session: string, request: ReadyRequest, reply: unknown, isPart: boolean): void {
    let answer: unknown;
    try {
      answer = isPart ? readPart(request, reply) : request.prepared.read(reply);
      this.counts.replies += 1;
    } catch (error) {
      return this.#settleEach(session, [request], error as ProtocolError | MalformedReplyError);
    }
    request.settle(answer);
  }

  #settleEach(
    session: string,
    requests: readonly ReadyRequest[],
    failure: DegradedReason | ProtocolError | MalformedReplyError,
  ): void {
    const why =
      typeof failure === 'string' ? { reason: failure } : { reason: reasonOf(failure), message: failure.message };
    for (const request of requests) {
      // The service has it, and only its answer is missing.
      if (request.isPublished) this.#settlePublished(request, typeof failure !== 'string' || failure === 'deadline');
      else request.settle(this.degrade({ command: request.command, session, ...why }));
    }
  }

  // Sends a view all the same: it counts without an answer.
  #giveUp(session: string, requests: readonly ReadyRequest[], reason: DegradedReason): void {
    for (const request of requests) {
      if (request.isPublished) this.#publishReady(session, request);
      else {
        const { command, prepared } = request;
        if (isWriting(command)) this.#publish(command, session, prepared).catch(() => undefined);
        request.settle(this.degrade({ command, session, reason }));
      }
    }
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

function reasonOf(failure: ProtocolError | MalformedReplyError): DegradedReason {
  return failure instanceof ProtocolError ? failure.replyCode : 'malformed-reply';
}
