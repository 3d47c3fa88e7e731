/** What does not work, and where: outside a Cluster anything, in a Cluster the slot of `key`. */
interface Trouble {
  /** A key of that slot; undefined for the whole. */
  readonly key: string | undefined;
  /** Whether Redis is there and refuses writes (its memory is full, it is a replica): then reads say nothing. */
  readonly refusesWrites: boolean;
  /** By `performance.now()`. */
  readonly since: number;
}

/** Which operations of a store are expected to fail: outside a Cluster all or none, in a Cluster those of some slots. */
export class SlotHealth {
  readonly #troubles = new Map<number, Trouble>();

  /** Whether nothing is known to be wrong. */
  get isUp(): boolean {
    return this.#troubles.size === 0;
  }

  /** Whether a slot is known to fail. */
  isDown(slot: number): boolean {
    return this.#troubles.has(slot);
  }

  /** What is wrong, slot by slot. */
  get troubles(): IterableIterator<[number, Trouble]> {
    return this.#troubles.entries();
  }

  /** Notes a failure. Whether all was well until now. */
  failed(slot: number, key: string | undefined, refusesWrites: boolean): boolean {
    const wasUp = this.isUp;
    const before = this.#troubles.get(slot);
    this.#troubles.set(slot, {
      key,
      refusesWrites: refusesWrites || before?.refusesWrites === true,
      since: performance.now(),
    });
    return wasUp;
  }

  /** Notes a success. Whether the slot had been failing. */
  succeeded(slot: number, reads: boolean): boolean {
    const trouble = this.#troubles.get(slot);
    if (!trouble || (reads && trouble.refusesWrites)) return false;
    return this.#troubles.delete(slot);
  }
}
