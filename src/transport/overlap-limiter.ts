import type { Overlap } from './presence.ts';

const INTERVAL_MS = 1_000;
const PAIR_INTERVAL_MS = 60_000;
const MOST_PAIRS = 1_000;
const MOST_WAITING = 100;

/** Tells of overlaps at most once a second, and of the same two instances at most once a minute: anybody may publish
 *  heartbeats, and must not fill a log with them. What is above that waits its turn; of what waits, the first 100 are
 *  kept. */
export class OverlapLimiter {
  readonly #tell: (overlap: Overlap) => void;
  // When a pair was told of or began to wait; a Map keeps insertion order, so its first key is the oldest.
  readonly #offeredAt = new Map<string, number>();
  readonly #waiting: Overlap[] = [];
  #toldAt = Number.NEGATIVE_INFINITY;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (overlap: Overlap) => void) {
    this.#tell = tell;
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

  /** Tells of nothing more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
  }

  #next(): void {
    this.#timer = undefined;
    if (performance.now() >= this.#toldAt + INTERVAL_MS) {
      const overlap = this.#waiting.shift();
      if (overlap === undefined) return;
      this.#toldAt = performance.now();
      this.#tell(overlap);
    }
    if (this.#waiting.length === 0) return;
    this.#timer = setTimeout(() => this.#next(), this.#toldAt + INTERVAL_MS - performance.now()).unref();
  }
}
