/** What a field of a request's session is after an operation on it, where the application changed it while the operation
 *  was under way: `before` when it was sent, `now`, and `result` in Redis. A number keeps what was added to it, a list
 *  what was added to its end; any other value is the application's. */
export function rebaseField(before: unknown, now: unknown, result: unknown): unknown {
  if (typeof before === 'number' && typeof now === 'number') return (result as number) + now - before;
  if (Array.isArray(before) && Array.isArray(now) && isBeginning(before, now)) {
    return [...(result as unknown[]), ...now.slice(before.length)];
  }
  return now;
}

function isBeginning(before: readonly unknown[], now: readonly unknown[]): boolean {
  return JSON.stringify(before) === JSON.stringify(now.slice(0, before.length));
}
