/** The longest time of a timer in Node: a longer one fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Lets any number of callers wait until a condition holds. The owner calls `notifyAll` when a condition may have changed:
 *  nothing is polled, so that waiting costs nothing. */
export class ConditionVariable {
  readonly #waiters = new Set<() => void>();

  /** How many callers wait. */
  get size(): number {
    return this.#waiters.size;
  }

  /** Makes all waiting callers evaluate their conditions again. */
  notifyAll(): void {
    for (const look of [...this.#waiters]) look();
  }

  /** Waits until `holds()` is true, at most `deadlineMs` milliseconds (default: without a limit; above 24 days: 24 days).
   *  Returns whether it is true then. The one timer keeps the process alive, and ends with the wait. */
  waitFor(holds: () => boolean, deadlineMs?: number): Promise<boolean> {
    if (holds()) return Promise.resolve(true);
    if (deadlineMs !== undefined && !(deadlineMs > 0)) return Promise.resolve(false);
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const end = (isTrue: boolean): void => {
        clearTimeout(timer);
        this.#waiters.delete(look);
        resolve(isTrue);
      };
      const look = (): void => {
        if (holds()) end(true);
      };
      if (deadlineMs !== undefined) timer = setTimeout(() => end(holds()), Math.min(deadlineMs, LONGEST_TIMER_MS));
      this.#waiters.add(look);
    });
  }
}
