/** Stands for all slots: the only slot of a single server, or a Cluster as a whole. */
export const WHOLE = -1;

/** A slot whose operations fail. */
interface SlotFailure {
  /** A key of that slot; undefined for the whole. */
  readonly key: string | undefined;
  /** Whether Redis answers and refuses writes (its memory is full, it is a replica). Successful reads prove nothing
   *  then. */
  readonly refusesWrites: boolean;
  /** When the last failure was seen, by `performance.now()`. */
  readonly since: number;
}

/** Which slots are expected to fail. With a single server that is all or none; in a Cluster each slot fails for itself. */
export class SlotHealth {
  readonly #failures = new Map<number, SlotFailure>();

  /** Whether no slot is known to fail. */
  get isUp(): boolean {
    return this.#failures.size === 0;
  }

  /** Whether a slot is known to fail. */
  isDown(slot: number): boolean {
    return this.#failures.has(slot);
  }

  /** The slots that fail. */
  get failures(): IterableIterator<[number, SlotFailure]> {
    return this.#failures.entries();
  }

  /** Records a failure. Returns whether no slot was known to fail before. */
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

  /** Records a success; `reads`: it wrote nothing. Returns whether the slot had been failing and no longer is. */
  succeeded(slot: number, reads: boolean): boolean {
    const failure = this.#failures.get(slot);
    if (!failure || (reads && failure.refusesWrites)) return false;
    return this.#failures.delete(slot);
  }
}
