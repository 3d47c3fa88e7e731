/** Calls `work` for each item in order, with at most `limit` of its promises pending at once; without a promise the
 *  item is done. Resolves when all are done. After the first failure or an abort it starts no further item.
 *  @throws the first error of `work` or of the iteration, or the signal's reason, once nothing is in flight any
 *  more. */
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
  const finish = (): void => {
    waiting -= 1;
    wake?.();
  };
  try {
    for await (const item of items) {
      if (failure || signal?.aborted) break;
      const promise = work(item);
      if (!promise) continue;
      waiting += 1;
      promise.then(finish, (error: unknown) => {
        failure ??= { error };
        finish();
      });
      if (waiting >= limit) await untilAtMost(limit - 1);
    }
  } finally {
    await untilAtMost(0);
  }
  signal?.throwIfAborted();
  if (failure) throw failure.error;
}
