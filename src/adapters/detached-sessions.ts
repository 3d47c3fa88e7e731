/** Sessions of requests whose secret was replaced while they were on their way.
 *
 *  To such a request the session is absent. But the browser has another cookie by now, or is about to, so nothing that
 *  merely comes of the request may take that one's place: its changes are not saved and no cookie is sent. A login
 *  makes a session of its own of it: it counts, whatever cookie it came with. One that fails half way does not. */
export class DetachedSessions {
  readonly #values = new WeakSet<object>();
  /** Those of which a login has begun to make sessions of their own. */
  readonly #begun = new WeakSet<object>();

  /** Notes that values are of such a request. */
  add(values: object): void {
    this.#values.add(values);
  }

  /** Whether values are. */
  has(values: object): boolean {
    return this.#values.has(values);
  }

  /** Makes `to` the object that holds the session of `from`. */
  handOver(from: object, to: object): void {
    if (this.#values.has(from)) this.#values.add(to);
    if (this.#begun.has(from)) this.#begun.add(to);
  }

  /** Does `work` with values as a session of its own, which they stay while such work succeeds: where the next one fails
   *  they stand in again, unless `settle` was called. `begin` is called first where they stood in for another. */
  async asOwn<Result>(values: object, begin: () => void, work: () => Promise<Result>): Promise<Result> {
    if (this.#values.delete(values)) {
      this.#begun.add(values);
      begin();
    }
    try {
      return await work();
    } catch (error) {
      if (this.#begun.has(values)) this.#values.add(values);
      throw error;
    }
  }

  /** Notes that values are a session of its own for good, after a login. */
  settle(values: object): void {
    this.#begun.delete(values);
  }
}
