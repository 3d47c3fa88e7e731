import type { Outcome } from '../transport.ts';

/* pending-requests.ts: an object and not a Map, because requests come and go by the thousand. When a table of a Map is full of
 * deleted entries, V8 makes a new one and has the old one point to it; one such table that lives in the old generation
 * keeps all that came after it, until the whole heap is swept. Measured at 128 in flight: with a Map a request leaves
 * about 1 KB behind in the old generation, and adding and deleting cost twice the CPU. */

/** Requests that wait for their answer, by number. */
export class PendingRequests {
  readonly #settles: Record<number, (outcome: Outcome) => void> = Object.create(null);
  #size = 0;

  /** How many wait now. */
  get size(): number {
    return this.#size;
  }

  /** Adds a waiting request by the function that settles it; `number` must be new. */
  add(number: number, settle: (outcome: Outcome) => void): void {
    this.#settles[number] = settle;
    this.#size += 1;
  }

  /** Returns the function that settles a request; undefined if none waits under this number. */
  get(number: number): ((outcome: Outcome) => void) | undefined {
    return this.#settles[number];
  }

  /** Removes a request that no longer waits. */
  delete(number: number): void {
    if (this.#settles[number] === undefined) return;
    delete this.#settles[number];
    this.#size -= 1;
  }

  /** Gives all that wait the same outcome. */
  settleAll(outcome: Outcome): void {
    for (const settle of Object.values(this.#settles)) settle(outcome);
  }
}
