/** A deadline that was added and is neither over nor deleted. Opaque: give it to `delete`. */
export interface Deadline {
  /** When it is over, by `performance.now()`. */
  readonly at: number;
}

interface Entry extends Deadline {
  readonly list: EntryList;
  onDeadline: (() => void) | undefined;
  previous: Entry | undefined;
  next: Entry | undefined;
}

/** The deadlines of one length, which are over in the order in which they were added. */
interface EntryList {
  readonly lengthMs: number;
  first: Entry | undefined;
  last: Entry | undefined;
}

/** Node's timers fire up to this much too early, in milliseconds. */
const EARLY_MS = 1;
/** The longest time of a timer in Node, in milliseconds: a longer one fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Keeps any number of deadlines with one timer: to add and to delete one starts and stops no timer, which a process with
 *  thousands of operations a second would pay for each. Meant for few different lengths; each has a list of its own.
 *
 *  The timer does not keep the process alive. Input that has arrived is read before a deadline counts as over: Node runs
 *  timers before it reads sockets, and where the process itself stood still, the reply may wait there. */
export class DeadlineQueue {
  readonly #lists = new Map<number, EntryList>();
  #timer: NodeJS.Timeout | undefined;
  #firesAt = Number.POSITIVE_INFINITY;

  /** Adds a deadline in `deadlineMs` milliseconds. `onDeadline` is called once, unless it is deleted before; it must not
   *  throw. */
  add(deadlineMs: number, onDeadline: () => void): Deadline {
    const list = this.#listOf(deadlineMs);
    const at = performance.now() + deadlineMs;
    const entry: Entry = { at, list, onDeadline, previous: list.last, next: undefined };
    if (list.last) list.last.next = entry;
    else list.first = entry;
    list.last = entry;
    if (at < this.#firesAt) this.#fireAt(at, deadlineMs);
    return entry;
  }

  /** Deletes a deadline. No effect where it is over, or was deleted. */
  delete(deadline: Deadline): void {
    const entry = deadline as Entry;
    if (!entry.onDeadline) return;
    entry.onDeadline = undefined;
    const { list, previous, next } = entry;
    if (previous) previous.next = next;
    else list.first = next;
    if (next) next.previous = previous;
    else list.last = previous;
    // The timer stays as it is: to stop it and start it again for the next one would cost what this class saves.
  }

  /** Ends all deadlines at once, as if they were over. */
  endAll(): void {
    clearTimeout(this.#timer);
    this.#expire(Number.POSITIVE_INFINITY);
  }

  #listOf(lengthMs: number): EntryList {
    let list = this.#lists.get(lengthMs);
    if (!list) {
      list = { lengthMs, first: undefined, last: undefined };
      this.#lists.set(lengthMs, list);
    }
    return list;
  }

  #fireAt(at: number, inMs: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = at;
    this.#timer = setTimeout(this.#onTimer, Math.min(Math.max(0, inMs), LONGEST_TIMER_MS)).unref();
  }

  readonly #onTimer = (): void => {
    const due = performance.now() + EARLY_MS;
    setImmediate(() => this.#expire(due));
  };

  #expire(due: number): void {
    const over: Entry[] = [];
    let nextAt = Number.POSITIVE_INFINITY;
    for (const list of this.#lists.values()) {
      let entry = list.first;
      for (; entry && entry.at <= due; entry = entry.next) over.push(entry);
      if (entry) nextAt = Math.min(nextAt, entry.at);
      // A length that nobody uses any more must not stay.
      if (list.first === undefined) this.#lists.delete(list.lengthMs);
    }
    this.#firesAt = Number.POSITIVE_INFINITY;
    if (nextAt !== Number.POSITIVE_INFINITY) this.#fireAt(nextAt, nextAt - performance.now());
    for (const entry of over) {
      // An earlier one may have deleted it.
      const { onDeadline } = entry;
      this.delete(entry);
      onDeadline?.();
    }
  }
}
