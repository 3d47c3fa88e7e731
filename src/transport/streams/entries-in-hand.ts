/** The entries of a partition that were read and are not done, with their sizes. */
export class EntriesInHand {
  // Bytes by id, in the order in which they were read.
  readonly #bytesById = new Map<string, number>();
  #bytes = 0;
  #idle: (() => void) | undefined;

  /** How many there are. */
  get size(): number {
    return this.#bytesById.size;
  }

  /** Their bytes together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The one that was read first, or ''. */
  get oldest(): string {
    for (const id of this.#bytesById.keys()) return id;
    return '';
  }

  /** Adds an entry that was read. */
  add(id: string, bytes: number): void {
    this.#bytesById.set(id, bytes);
    this.#bytes += bytes;
  }

  /** Removes an entry that is done, or no concern any more. */
  remove(id: string): void {
    this.#bytes -= this.#bytesById.get(id) ?? 0;
    this.#bytesById.delete(id);
    if (this.size === 0) this.wake();
  }

  /** Waits until there is none, or until `wake`. One may wait at a time. */
  untilNone(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  /** Ends a wait. */
  wake(): void {
    this.#idle?.();
  }
}
