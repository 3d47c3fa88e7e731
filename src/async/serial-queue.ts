/** Lets works on the same thing be done one after the other, in this process. */
export class Turns {
  readonly #last = new Map<unknown, Promise<unknown>>();

  /** Does `work` when the work before it on `name` is done, however that ended; at once where there is none. */
  async take<Result>(name: string | object, work: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.get(name)?.then(work, work) ?? work();
    this.#last.set(name, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(name) === turn) this.#last.delete(name);
    }
  }
}
