/** Limits how often a line is logged: requests from outside can cause any number of failures and must not fill the
 *  log. */
export class LogThrottle {
  readonly #intervalMs: number;
  #lastLoggedAt = Number.NEGATIVE_INFINITY;

  /** `intervalMs`: at most one line in so long. */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Whether a line may be written now. If so, the next one waits. */
  mayLog(): boolean {
    const now = performance.now();
    if (now < this.#lastLoggedAt + this.#intervalMs) return false;
    this.#lastLoggedAt = now;
    return true;
  }

  /** Lets the next line through at once. */
  reset(): void {
    this.#lastLoggedAt = Number.NEGATIVE_INFINITY;
  }
}
