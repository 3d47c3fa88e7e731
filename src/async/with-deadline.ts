/** How a deadline is kept. */
export interface DeadlineOptions {
  /** Whether the timer keeps the process alive while it runs. Default true. */
  readonly keepsAlive?: boolean;
}

/** Waits for `work` at most `deadlineMs` milliseconds, then settles with the result of `onLate`: its value, or the error
 *  that it throws. The work is not cancelled. The timer ends with the work, so that a finished operation leaves no timer
 *  behind; a rejection that comes after the deadline is handled and has no effect.
 *  @throws the rejection of `work`, or what `onLate` throws. */
export function withDeadline<Result, Late>(
  work: Promise<Result>,
  deadlineMs: number,
  onLate: () => Late,
  { keepsAlive = true }: DeadlineOptions = {},
): Promise<Result | Late> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      try {
        resolve(onLate());
      } catch (error) {
        reject(error);
      }
    }, deadlineMs);
    if (!keepsAlive) timer.unref();
    work.then(
      (result) => {
        clearTimeout(timer);
        resolve(result);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
