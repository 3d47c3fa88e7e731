/** Calls `work` for each item in order, so that at most `limit` of the promises it gives wait at once; work that gives
 *  none counts as done. Ends when all are done, and after the first failure or an abort starts nothing more.
 *  @throws what `work` or the iteration throws first, or the signal's reason; nothing is in flight any more then. */
export async function inFlight<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  limit: number,
  work: (item: Item) => Promise<void> | undefined,
  signal?: AbortSignal,
): Promise<void> {
  let waiting = 0;
  let failure: { error: unknown } | undefined;
  let wake: (() => void) | undefined;
  const untilAtMost = async (count: number): Promise<void> => {
    while (waiting > count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const settle = (): void => {
    waiting -= 1;
    wake?.();
  };
  try {
    for await (const item of items) {
      if (failure || signal?.aborted) break;
      const promise = work(item);
      if (!promise) continue;
      waiting += 1;
      promise.then(settle, (error: unknown) => {
        failure ??= { error };
        settle();
      });
      if (waiting >= limit) await untilAtMost(limit - 1);
    }
  } finally {
    await untilAtMost(0);
  }
  signal?.throwIfAborted();
  if (failure) throw failure.error;
}
