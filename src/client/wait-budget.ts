/** Time that all requests of one page may wait together. Time counts only while at least one of them waits: other work
 *  of the page (its database, its templates) costs nothing, and requests that wait concurrently cost it once. */
export class WaitBudget {
  #leftMs: number;
  #waiting = 0;
  #since = 0;

  /** `totalMs`: the page's deadline. */
  constructor(totalMs: number) {
    this.#leftMs = totalMs;
  }

  /** Remaining milliseconds. Less than one counts as 0, because a timer may be a millisecond early. */
  get leftMs(): number {
    const left = this.#leftMs - (this.#waiting > 0 ? performance.now() - this.#since : 0);
    return left < 1 ? 0 : left;
  }

  /** Notes that a message waits from now on. */
  start(): void {
    if (this.#waiting === 0) this.#since = performance.now();
    this.#waiting += 1;
  }

  /** Notes that a message that was started waits no longer. */
  end(): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#leftMs -= performance.now() - this.#since;
  }
}
