/** The writes of subjects that are under way. A question that came behind a write waits for it, so that it sees it: what is
 *  written is encrypted first, at the end of the turn, and a read would overtake it. */
export class PendingWrites {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Notes a write until it has settled. Returns it. */
  add<Result>(subject: string, write: Promise<Result>): Promise<Result> {
    const before = this.#last.get(subject);
    // Without the answers: each would hold all before it, for as long as the subject's writes overlap.
    const last = before ? Promise.allSettled([before, write]).then(() => undefined) : write;
    this.#last.set(subject, last);
    const remove = (): void => {
      if (this.#last.get(subject) === last) this.#last.delete(subject);
    };
    last.then(remove, remove);
    return write;
  }

  /** Waits for the writes of a subject; undefined where there are none. Never rejects. */
  settled(subject: string): Promise<unknown> | undefined {
    return this.#last.get(subject)?.catch(() => undefined);
  }
}
