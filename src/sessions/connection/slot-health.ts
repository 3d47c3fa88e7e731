/** What does not work, and where: outside a Cluster anything, in a Cluster the slot of `key`. */
interface SlotFailure {
  /** A key of that slot; undefined for the whole. */
  readonly key: string | undefined;
  /** Whether Redis is there and refuses writes (its memory is full, it is a replica): then reads say nothing. */
  readonly refusesWrites: boolean;
  /** By `performance.now()`. */
  readonly since: number;
}

/** Which operations of a store are expected to fail: outside a Cluster all or none, in a Cluster those of some slots. */
export class SlotHealth {
  readonly #failures = new Map<number, SlotFailure>();

  /** Whether nothing is known to be wrong. */
  get isUp(): boolean {
    return this.#failures.size === 0;
  }

  /** Whether a slot is known to fail. */
  isDown(slot: number): boolean {
    return this.#failures.has(slot);
  }

  /** What is wrong, slot by slot. */
  get failures(): IterableIterator<[number, SlotFailure]> {
    return this.#failures.entries();
  }

  /** Notes a failure. Whether all was well until now. */
  failed(slot: number, key: string | undefined, refusesWrites: boolean): boolean {
    const wasUp = this.isUp;
    const before = this.#failures.get(slot);
    this.#failures.set(slot, {
      key,
      refusesWrites: refusesWrites || before?.refusesWrites === true,
      since: performance.now(),
    });
    return wasUp;
  }

  /** Notes a success. Whether the slot had been failing. */
  succeeded(slot: number, reads: boolean): boolean {
    const trouble = this.#failures.get(slot);
    if (!trouble || (reads && trouble.refusesWrites)) return false;
    return this.#failures.delete(slot);
  }
}
