/** Runs asynchronous work one at a time per key, in this process: a keyed mutex. */
export class SerialQueue {
  readonly #last = new Map<unknown, Promise<unknown>>();

  /** How many keys have work that is not done. */
  get size(): number {
    return this.#last.size;
  }

  /** The work that was queued last under a key; undefined where all of it is done. */
  last(key: string | object): Promise<unknown> | undefined {
    return this.#last.get(key);
  }

  /** Runs `work` when all earlier work under `key` has settled; at once where there is none. A failure of earlier work
   *  does not stop later work.
   *  @throws the rejection of `work`. */
  run<Result>(key: string | object, work: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.get(key)?.then(work, work) ?? begin(work);
    this.#last.set(key, turn);
    const end = (): void => {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    };
    turn.then(end, end);
    return turn;
  }
}

function begin<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error);
  }
}
