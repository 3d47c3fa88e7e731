/** Passes the result of a promise to a callback of the form `(error, result)`; without a callback returns the promise.
 *  So the stores of web frameworks are called.
 *
 *  A callback that throws is called again with its own error, as connect-redis does it: the framework then fails that one
 *  request, where an uncaught exception would end the process and all other requests. An error that a callback throws
 *  when it was called with an error becomes an unhandled rejection. */
export function callbackify<Result>(
  promise: Promise<Result>,
  callback: ((error: unknown, result?: Result) => void) | undefined,
): Promise<Result> | undefined {
  if (!callback) return promise;
  void promise.then((result) => giveResult(callback, () => result), callback);
  return undefined;
}

/** Makes a result and calls a callback with it, as `callbackify` does with that of a promise: where one of both throws, the
 *  callback gets the error. */
export function giveResult<Result>(callback: (error: unknown, result?: Result) => void, make: () => Result): void {
  try {
    callback(null, make());
  } catch (error) {
    callback(error);
  }
}
