import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionClient } from '../../client/index.ts';
import { sessionOf } from '../../protocol/index.ts';
import type { ExactCount } from './exact-count.ts';
import { inFlight } from './in-flight.ts';
import { Latencies } from './latencies.ts';
import { type LogRequest, parseLogLine } from './log-line.ts';
import { ReplayError } from './replay-error.ts';

/** State of one visitor during the sending. */
export interface Visitor {
  readonly session: string;
  /** Views sent. */
  sent: number;
  /** Time at which the last view was sent, by `performance.now()`. */
  lastSentMs: number;
  /** The `at` of the last view. */
  lastAt: number;
  /** Whether the store ever said "welcome back": not new, and nothing in the five minutes before. */
  cameBack: boolean;
}

/** Result of sending a log. */
export interface SentLog {
  readonly visitors: readonly Visitor[];
  readonly requests: number;
  readonly skippedLines: number;
  /** Requests without an answer. */
  readonly degraded: number;
  readonly seconds: number;
  readonly latencies: Latencies;
  /** First and last time in the log. */
  readonly from: number;
  readonly to: number;
  /** Requests that stand in the log after a later one of the same visitor. */
  readonly outOfOrder: number;
  /** Views that the store answered with `previouslyVisited`. */
  readonly repeated: number;
  /** Sessions that the store knew before this replay. */
  readonly knownBefore: number;
  /** With an exact count only: answers `previouslyVisited: false` for a visited page. */
  readonly falseNegatives: number;
  /** With an exact count only: answers with another number of views than the log had so far. */
  readonly miscounted: number;
}

export interface SendOptions {
  readonly concurrency: number;
  readonly deadlineMs: number;
  /** Counts each view exactly; left out: no exact count. */
  readonly exact?: ExactCount | undefined;
  readonly signal: AbortSignal;
  /** Called after each request. */
  readonly onSent?: ((requests: number) => void) | undefined;
}

// A request without an answer stays in flight for so long. This slows the sending while the service is away: views that
// it misses are not counted.
const RETREAT_MS = 100;
const LONGEST_SILENCE_MS = 30_000;

/** Sends every request of a log as a page view, in the log's order, and waits for all answers.
 *
 *  Several views of one visitor may be in flight and still keep their order: one connection publishes them, one
 *  connection of the service receives them, and the service passes each to Redis before it begins the next.
 *  @throws ReplayError `NO_SERVICE` after half a minute without an answer, `LOG_UNREADABLE`, or the signal's reason. */
export async function sendLog(
  client: SessionClient,
  lines: AsyncIterable<string | undefined>,
  options: SendOptions,
): Promise<SentLog> {
  const sender = new LogSender(client, options);
  const begun = performance.now();
  await inFlight(lines, options.concurrency, (line) => sender.sendLine(line), options.signal);
  return { ...sender.sums(), seconds: (performance.now() - begun) / 1000 };
}

class LogSender {
  readonly #client: SessionClient;
  readonly #options: SendOptions;
  readonly #visitors = new Map<string, Visitor>();
  readonly #latencies = new Latencies();
  readonly #sums = {
    ...{ requests: 0, skippedLines: 0, degraded: 0, outOfOrder: 0, repeated: 0, knownBefore: 0 },
    ...{ falseNegatives: 0, miscounted: 0, from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY },
  };
  #silentSinceMs: number | undefined;

  constructor(client: SessionClient, options: SendOptions) {
    this.#client = client;
    this.#options = options;
  }

  sums(): Omit<SentLog, 'seconds'> {
    return { ...this.#sums, visitors: [...this.#visitors.values()], latencies: this.#latencies };
  }

  /** Counts a line and sends its request; undefined for a line without one. */
  sendLine(line: string | undefined): Promise<void> | undefined {
    const sums = this.#sums;
    const request = line === undefined ? undefined : parseLogLine(line);
    if (!request) {
      sums.skippedLines += 1;
      return undefined;
    }
    const { at } = request;
    const visitor = this.#visitorOf(request);
    if (at < visitor.lastAt) sums.outOfOrder += 1;
    visitor.sent += 1;
    visitor.lastSentMs = performance.now();
    visitor.lastAt = at;
    sums.requests += 1;
    sums.from = Math.min(sums.from, at);
    sums.to = Math.max(sums.to, at);
    return this.#send(request, visitor);
  }

  #visitorOf({ ip, userAgent, at }: LogRequest): Visitor {
    const name = `${ip}\0${userAgent}`;
    let visitor = this.#visitors.get(name);
    if (!visitor) {
      visitor = { session: sessionOf(name), sent: 0, lastSentMs: 0, lastAt: at, cameBack: false };
      this.#visitors.set(name, visitor);
    }
    return visitor;
  }

  async #send({ path, at }: LogRequest, visitor: Visitor): Promise<void> {
    const { deadlineMs, exact, onSent } = this.#options;
    const sums = this.#sums;
    const expected = exact?.view(visitor.session, path, at);
    const isFirst = visitor.sent === 1;
    const started = performance.now();
    const reply = await this.#client.request('pageview', visitor.session, { path, at }, { deadlineMs });
    if (reply) {
      this.#silentSinceMs = undefined;
      this.#latencies.add(performance.now() - started);
      if (reply.previouslyVisited) sums.repeated += 1;
      if (isFirst && !reply.newToSite) sums.knownBefore += 1;
      if (reply.inactive) visitor.cameBack = true;
      if (expected?.seen && !reply.previouslyVisited) sums.falseNegatives += 1;
      if (expected && expected.views !== reply.totalPages) sums.miscounted += 1;
    } else {
      await this.#retreat();
    }
    onSent?.(sums.requests);
  }

  async #retreat(): Promise<void> {
    this.#sums.degraded += 1;
    this.#silentSinceMs ??= performance.now();
    if (performance.now() - this.#silentSinceMs > LONGEST_SILENCE_MS) {
      throw new ReplayError(
        'NO_SERVICE',
        `The service has not answered for 30 seconds: stopped after ${this.#sums.requests} requests.`,
      );
    }
    await sleep(RETREAT_MS);
  }
}
