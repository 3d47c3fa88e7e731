const SMALLEST_MS = 0.01;
const STEP = 1.02;

/** How long requests took: a histogram of buckets that are 2 % wide, so that any number of requests takes no memory. */
export class Latencies {
  readonly #counts: number[] = [];
  #total = 0;

  /** Adds one, in milliseconds. */
  add(ms: number): void {
    const bucket = Math.max(0, Math.ceil(Math.log(ms / SMALLEST_MS) / Math.log(STEP)));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total += 1;
  }

  /** The time that a `share` (0 to 1) of them stayed within, in milliseconds, at most 2 % too high; null where there
   *  were none. */
  quantile(share: number): number | null {
    if (this.#total === 0) return null;
    let left = share * this.#total;
    const bucket = this.#counts.findIndex((count) => {
      left -= count ?? 0;
      return left <= 0;
    });
    return SMALLEST_MS * STEP ** bucket;
  }
}
