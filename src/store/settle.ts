/** Answers as the stores of web frameworks are asked: by a callback where there is one, else by the promise itself. */
export function settle<Result>(
  promise: Promise<Result>,
  callback: ((error: unknown, result?: Result) => void) | undefined,
): Promise<Result> | undefined {
  if (!callback) return promise;
  // Out of the promise's reach: what a callback throws is the application's, and no rejection.
  promise.then(
    (result) => process.nextTick(callback, null, result),
    (error: unknown) => process.nextTick(callback, error),
  );
  return undefined;
}
