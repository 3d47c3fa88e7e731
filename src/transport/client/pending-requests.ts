import { Deadline, DeadlineQueue } from '../../async/index.ts';
import { NO_ANSWER, type Outcome, TAKEN_AND_LATE } from '../transport.ts';

/* pending-requests.ts: an object and not a Map, because requests come and go by the thousand. When a table of a Map is full of
 * deleted entries, V8 makes a new one and has the old one point to it; one such table that lives in the old generation
 * keeps all that came after it, until the whole heap is swept. Measured at 128 in flight: with a Map a request leaves
 * about 1 KB behind in the old generation, and adding and deleting cost twice the CPU. */

/** Requests that wait for their answer, by number. All their deadlines share one timer. */
export class PendingRequests {
  readonly #waiting: Record<number, WaitingRequest> = Object.create(null);
  readonly #deadlines = new DeadlineQueue();
  #size = 0;

  /** How many wait now. */
  get size(): number {
    return this.#size;
  }

  /** Waits for the answer to a request, at most `deadlineMs`. `number` must be new. */
  add(number: number, deadlineMs: number): Promise<Outcome> {
    return new Promise((resolve) => {
      const request = new WaitingRequest(this, number, resolve);
      this.#waiting[number] = request;
      this.#size += 1;
      this.#deadlines.add(request, deadlineMs);
    });
  }

  /** Notes that a service was given a request: its outcome says so where the deadline passes. */
  noteTaken(number: number): void {
    const request = this.#waiting[number];
    if (request !== undefined) request.isTaken = true;
  }

  /** Gives a request its outcome. False where none waits under this number (any more). */
  settle(number: number, outcome: Outcome): boolean {
    const request = this.#waiting[number];
    if (request === undefined) return false;
    delete this.#waiting[number];
    this.#size -= 1;
    this.#deadlines.remove(request);
    request.resolve(outcome);
    return true;
  }

  /** Gives all that wait the same outcome, and ends the timer. */
  settleAll(outcome: Outcome): void {
    for (const { number } of Object.values(this.#waiting)) this.settle(number, outcome);
    this.#deadlines.stop();
  }
}

class WaitingRequest extends Deadline {
  readonly number: number;
  readonly resolve: (outcome: Outcome) => void;
  isTaken = false;
  readonly #owner: PendingRequests;

  constructor(owner: PendingRequests, number: number, resolve: (outcome: Outcome) => void) {
    super();
    this.#owner = owner;
    this.number = number;
    this.resolve = resolve;
  }

  expire(): void {
    this.#owner.settle(this.number, this.isTaken ? TAKEN_AND_LATE : NO_ANSWER.deadline);
  }
}
