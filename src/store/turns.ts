/** Lets works on the same thing be done one after the other, in this process. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Does `work` when the work before it on `name` is done, however that ended. */
  async take<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#last.set(name, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(name) === turn) this.#last.delete(name);
    }
  }
}
