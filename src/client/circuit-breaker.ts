/** After how many misses in a row it opens. */
export const BREAKER_MISSES = 5;
/** How often an open breaker probes, in milliseconds. */
export const BREAKER_PROBE_MS = 500;

/** Stops pages from waiting for a service that does not answer. It opens after 5 misses in a row; while it is open a
 *  probe of its own, that no page waits for, asks each 500 ms, and the first answer closes it. */
export class CircuitBreaker {
  readonly #probe: () => Promise<boolean>;
  #misses = 0;
  #timer: NodeJS.Timeout | undefined;
  #closedForGood = false;

  /** `probe`: asks the service something harmless; whether it answered. */
  constructor(probe: () => Promise<boolean>) {
    this.#probe = probe;
  }

  /** Whether pages must not wait. */
  get isOpen(): boolean {
    return this.#timer !== undefined;
  }

  /** An answer came. */
  succeed(): void {
    this.#misses = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** A deadline passed. */
  miss(): void {
    this.#misses += 1;
    if (this.#misses >= BREAKER_MISSES && !this.isOpen && !this.#closedForGood) this.#schedule();
  }

  /** Ends its probes. */
  stop(): void {
    this.#closedForGood = true;
    this.succeed();
  }

  #schedule(): void {
    this.#timer = setTimeout(async () => {
      const answered = await this.#probe();
      if (this.#timer === undefined) return;
      if (answered) this.succeed();
      else this.#schedule();
    }, BREAKER_PROBE_MS).unref();
  }
}
