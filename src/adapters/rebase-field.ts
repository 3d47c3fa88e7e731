/** What a field of a request's session is after an operation on it, where the application changed it while the operation
 *  was under way: `before` when it was sent, `now`, and `result` in Redis. Both count. A number keeps what was added to
 *  it. A list keeps what was added to its end; one that was changed otherwise is the application's, and behind it stands
 *  what the operation appended, the last `appended` of the result. Any other value is the application's. */
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
