/** How long one page may wait for us, all its requests together. Time counts only while at least one of them waits:
 *  what the page does meanwhile on its own account (its database, its templates) costs no budget, and requests that
 *  wait side by side cost it once. */
export class WaitBudget {
  #leftMs: number;
  #waiting = 0;
  #since = 0;

  /** `totalMs`: the page's deadline. */
  constructor(totalMs: number) {
    this.#leftMs = totalMs;
  }

  /** What is left, in milliseconds; 0 where it is spent. A timer may be a millisecond early, so the rest of one is
   *  nothing to wait for. */
  get leftMs(): number {
    const left = this.#leftMs - (this.#waiting > 0 ? performance.now() - this.#since : 0);
    return left < 1 ? 0 : left;
  }

  /** Waits for `work`, which gets what is left as its deadline. */
  async spend<Result>(work: (deadlineMs: number) => Promise<Result>): Promise<Result> {
    const deadlineMs = this.leftMs;
    if (this.#waiting === 0) this.#since = performance.now();
    this.#waiting += 1;
    try {
      return await work(deadlineMs);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#leftMs -= performance.now() - this.#since;
    }
  }
}
