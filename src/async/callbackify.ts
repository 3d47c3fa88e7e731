/** Answers as the stores of web frameworks are asked: by a callback where there is one, else by the promise itself.
 *
 *  A callback that throws is called again, with what it threw, as connect-redis does it. Frameworks answer that request
 *  with an error then; thrown out of here it would end the process with all other requests. What a callback throws when
 *  it was given an error is an unhandled rejection. */
export function settle<Result>(
  promise: Promise<Result>,
  callback: ((error: unknown, result?: Result) => void) | undefined,
): Promise<Result> | undefined {
  if (!callback) return promise;
  const answer = (result: Result): void => {
    callback(null, result);
  };
  void promise.then(answer).catch(callback);
  return undefined;
}
