/** Merges the result of an operation on a field with a change that the application made while it was under way: `before`
 *  when it was sent, `now`, and `result` in Redis. Both count. A number keeps the application's addition. A list keeps the
 *  entries that were added to its end; one that was changed otherwise is the application's, followed by the entries that
 *  the operation appended, the last `appended` of the result. Any other value is the application's. */
export function rebaseField(before: unknown, now: unknown, result: unknown, appended = 0): unknown {
  if (typeof result === 'number' && typeof now === 'number') {
    return result + now - (typeof before === 'number' ? before : 0);
  }
  if (Array.isArray(result) && Array.isArray(now)) {
    const first = Array.isArray(before) ? before : [];
    if (isBeginning(first, now)) return [...result, ...now.slice(first.length)];
    return [...now, ...result.slice(isBeginning(first, result) ? first.length : result.length - appended)];
  }
  return now;
}

function isBeginning(before: readonly unknown[], now: readonly unknown[]): boolean {
  return JSON.stringify(before) === JSON.stringify(now.slice(0, before.length));
}
