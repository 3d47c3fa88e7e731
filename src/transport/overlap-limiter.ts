import type { Overlap } from './presence.ts';

const INTERVAL_MS = 1_000;
const PAIR_INTERVAL_MS = 60_000;
const MOST_PAIRS = 1_000;
const MOST_WAITING = 100;

/** Reports overlaps at most once a second, and the same two instances at most once a minute: any program may
 *  publish heartbeats, and must not fill a log with them. Further overlaps wait, at most 100 of them. */
export class OverlapLimiter {
  readonly #report: (overlap: Overlap) => void;
  // When a pair was reported or began to wait; a Map keeps insertion order, so its first key is the oldest.
  readonly #offeredAt = new Map<string, number>();
  readonly #waiting: Overlap[] = [];
  #lastReportedAt = Number.NEGATIVE_INFINITY;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(report: (overlap: Overlap) => void) {
    this.#report = report;
  }

  /** Takes an overlap that was noticed. */
  offer(overlap: Overlap): void {
    if (this.#stopped) return;
    const now = performance.now();
    const pair = [...overlap.instances].sort().join(' ');
    if (now - (this.#offeredAt.get(pair) ?? Number.NEGATIVE_INFINITY) < PAIR_INTERVAL_MS) return;
    if (this.#waiting.length >= MOST_WAITING) return;
    this.#offeredAt.delete(pair);
    if (this.#offeredAt.size >= MOST_PAIRS) this.#offeredAt.delete(this.#offeredAt.keys().next().value!);
    this.#offeredAt.set(pair, now);
    this.#waiting.push(overlap);
    if (this.#timer === undefined) this.#next();
  }

  /** Reports nothing more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
  }

  #next(): void {
    this.#timer = undefined;
    if (performance.now() >= this.#lastReportedAt + INTERVAL_MS) {
      const overlap = this.#waiting.shift();
      if (overlap === undefined) return;
      this.#lastReportedAt = performance.now();
      this.#report(overlap);
    }
    if (this.#waiting.length === 0) return;
    this.#timer = setTimeout(() => this.#next(), this.#lastReportedAt + INTERVAL_MS - performance.now()).unref();
  }
}
