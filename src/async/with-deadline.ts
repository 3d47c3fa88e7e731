/** How a deadline is kept. */
export interface DeadlineOptions {
  /** Whether the timer keeps the process alive while it runs. Default true. */
  readonly keepsAlive?: boolean;
  /** Whether input that has arrived is read before the work counts as late. Node runs timers before it reads sockets:
   *  where the process itself stood still, the reply may wait there. Default false. */
  readonly readsInputFirst?: boolean;
}

/** Waits for `work` at most `deadlineMs` milliseconds, then settles with the result of `onLate`: its value, or the error
 *  that it throws. The work is not cancelled. The timer ends with the work, so that a finished operation leaves no timer
 *  behind; a rejection that comes after the deadline is handled and has no effect.
 *  @throws the rejection of `work`, or what `onLate` throws. */
export function withDeadline<Result, Late>(
  work: Promise<Result>,
  deadlineMs: number,
  onLate: () => Late,
  { keepsAlive = true, readsInputFirst = false }: DeadlineOptions = {},
): Promise<Result | Late> {
  return new Promise((resolve, reject) => {
    const expire = (): void => {
      try {
        resolve(onLate());
      } catch (error) {
        reject(error);
      }
    };
    let turn: NodeJS.Immediate | undefined;
    const timer = readsInputFirst
      ? setTimeout(() => {
          turn = setImmediate(expire);
        }, deadlineMs)
      : setTimeout(expire, deadlineMs);
    if (!keepsAlive) timer.unref();
    const stop = (): void => {
      clearTimeout(timer);
      clearImmediate(turn);
    };
    work.then(
      (result) => {
        stop();
        resolve(result);
      },
      (error: unknown) => {
        stop();
        reject(error);
      },
    );
  });
}
