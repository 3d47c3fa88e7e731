/** The longest that Node waits; for more it waits a millisecond. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1;

/** Timers that keep no process running, and are cleared together. */
export class Timers {
  readonly #timers = new Set<NodeJS.Timeout>();

  /** Runs `work` in `waitMs`, or in 24 days if that is less. */
  in(waitMs: number, work: () => void): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        work();
      },
      Math.min(Math.max(0, waitMs), LONGEST_TIMER_MS),
    );
    timer.unref();
    this.#timers.add(timer);
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
