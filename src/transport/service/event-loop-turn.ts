/* event-loop-turn.ts: how long one turn of the event loop may work. Serving a thousand requests that were read at once
 * would keep timers and sockets waiting: leases are not renewed meanwhile, and visitors not answered. */

const TURN_MS = 5;

/** The current turn of the event loop, shared by all that works in it. */
export class EventLoopTurn {
  #endsAt = 0;
  #next: Promise<void> | undefined;
  #isRunning = false;

  /** Undefined where this turn has time left; else the next turn. */
  take(): Promise<void> | undefined {
    if (!this.#isRunning) {
      this.#isRunning = true;
      this.#endsAt = performance.now() + TURN_MS;
      setImmediate(() => {
        this.#isRunning = false;
      });
    }
    if (this.#next === undefined && performance.now() < this.#endsAt) return undefined;
    this.#next ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#next = undefined;
        resolve();
      });
    });
    return this.#next;
  }
}
