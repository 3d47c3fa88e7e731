/** Sessions of requests whose secret was replaced while they were on their way.
 *
 *  To such a request the session is absent. But the browser has another cookie by now, or is about to, so nothing that
 *  merely comes of the request may take that one's place: what it changes is saved nowhere and no cookie is sent. A login
 *  makes a session of its own of it: it counts, whatever cookie it came with. */
export class StandIns {
  readonly #values = new WeakSet<object>();

  /** Says that values are of such a request. */
  add(values: object): void {
    this.#values.add(values);
  }

  /** Whether values are. */
  has(values: object): boolean {
    return this.#values.has(values);
  }

  /** Does `work` with values as a session of its own, which they stay if that succeeds. `begin` is called first where
   *  they stood in for another. */
  async asOwn<Result>(values: object, begin: () => void, work: () => Promise<Result>): Promise<Result> {
    if (!this.#values.delete(values)) return work();
    begin();
    try {
      return await work();
    } catch (error) {
      this.#values.add(values);
      throw error;
    }
  }
}
