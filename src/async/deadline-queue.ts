/* deadline-queue.ts: many deadlines, one timer. Each request of a serving process has a deadline, and nearly none is
 * reached: a timer of its own would be made and cleared for nothing. A binary heap, where each entry knows its place, so
 * that one that is removed leaves nothing behind. A new deadline is mostly the last one, so adding takes one step.
 *
 * Input that has arrived is read before a deadline counts as reached: Node runs timers before it reads sockets, and where
 * the process itself stood still, the reply may wait there. */

const NOT_QUEUED = -1;

/** Something that waits until a moment. It stands in one queue at a time; the queue keeps both fields. */
export abstract class Deadline {
  /** The moment, in milliseconds of `performance.now()`. */
  dueAt = 0;
  /** Its place in the queue's heap; -1 while it is in no queue. */
  place: number = NOT_QUEUED;

  /** Called when the moment has come; by then it has left the queue. Must not throw. */
  abstract expire(): void;
}

/** A deadline that calls a function. */
export class CallbackDeadline extends Deadline {
  readonly #onExpire: () => void;

  constructor(onExpire: () => void) {
    super();
    this.#onExpire = onExpire;
  }

  expire(): void {
    this.#onExpire();
  }
}

/** Keeps any number of deadlines with one timer. The timer does not keep the process alive. */
export class DeadlineQueue {
  readonly #heap: Deadline[] = [];
  #timer: NodeJS.Timeout | undefined;
  #firesAt = Number.POSITIVE_INFINITY;

  /** How many wait. */
  get size(): number {
    return this.#heap.length;
  }

  /** Lets `deadline` expire after `delayMs` milliseconds (at most 24 days). */
  add(deadline: Deadline, delayMs: number): void {
    const now = performance.now();
    deadline.dueAt = now + delayMs;
    this.#heap.push(deadline);
    this.#rise(deadline, this.#heap.length - 1);
    if (deadline.dueAt < this.#firesAt) this.#arm(deadline.dueAt, now);
  }

  /** Takes a deadline out; nothing where it has expired or was never added. */
  remove(deadline: Deadline): void {
    const { place } = deadline;
    if (place === NOT_QUEUED) return;
    deadline.place = NOT_QUEUED;
    const last = this.#heap.pop()!;
    if (last === deadline) return;
    this.#sink(last, place);
    this.#rise(last, last.place);
  }

  /** Lets all expire at once. */
  expireAll(): void {
    clearTimeout(this.#timer);
    this.#firesAt = Number.POSITIVE_INFINITY;
    this.#expireUntil(Number.POSITIVE_INFINITY);
  }

  /** Ends the timer. Deadlines that still wait do not expire. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#firesAt = Number.POSITIVE_INFINITY;
  }

  #arm(dueAt: number, now: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = dueAt;
    this.#timer = setTimeout(this.#fire, dueAt - now).unref();
  }

  readonly #fire = (): void => {
    const due = performance.now();
    setImmediate(() => this.#expire(due));
  };

  // Finds nothing due where the deadline that the timer was set for was removed: then it waits for the next one.
  #expire(due: number): void {
    if (this.#firesAt === Number.POSITIVE_INFINITY) return;
    this.#firesAt = Number.POSITIVE_INFINITY;
    this.#expireUntil(due);
    const next = this.#heap[0];
    if (next !== undefined && next.dueAt < this.#firesAt) this.#arm(next.dueAt, performance.now());
  }

  #expireUntil(due: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.dueAt <= due; first = this.#heap[0]) {
      this.remove(first);
      first.expire();
    }
  }

  #rise(deadline: Deadline, from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#heap[above]!;
      if (parent.dueAt <= deadline.dueAt) break;
      this.#put(parent, place);
      place = above;
    }
    this.#put(deadline, place);
  }

  #sink(deadline: Deadline, from: number): void {
    const { length } = this.#heap;
    let place = from;
    for (let below = 2 * place + 1; below < length; below = 2 * place + 1) {
      const right = below + 1;
      if (right < length && this.#heap[right]!.dueAt < this.#heap[below]!.dueAt) below = right;
      const child = this.#heap[below]!;
      if (child.dueAt >= deadline.dueAt) break;
      this.#put(child, place);
      place = below;
    }
    this.#put(deadline, place);
  }

  #put(deadline: Deadline, place: number): void {
    this.#heap[place] = deadline;
    deadline.place = place;
  }
}
