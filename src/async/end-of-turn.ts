/** Calls a function when the current turn of the event loop ends: behind all promises that it resolves, and before the
 *  driver writes what was sent in it. So what asks in one turn can be asked together, without a wait. */
export function atEndOfTurn(done: () => void): void {
  // `nextTick` alone would come before the promises that the running callback resolves.
  queueMicrotask(() => process.nextTick(done));
}
