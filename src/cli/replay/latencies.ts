const SMALLEST_MS = 0.01;
const STEP = 1.02;

/** Histogram of the durations of requests. Its buckets are 2 % wide, so its memory does not grow with the number of
 *  requests. */
export class Latencies {
  readonly #counts: number[] = [];
  #total = 0;

  /** Adds a duration in milliseconds. */
  add(ms: number): void {
    const bucket = Math.max(0, Math.ceil(Math.log(ms / SMALLEST_MS) / Math.log(STEP)));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total += 1;
  }

  /** Returns the duration that a `share` (0 to 1) of the requests did not exceed, in milliseconds, at most 2 % too
   *  high; null without requests. */
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
