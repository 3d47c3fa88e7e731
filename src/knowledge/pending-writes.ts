/** The writes of subjects that are under way. A question that came behind a write waits for it, so that it sees it: what is
 *  written is encrypted first, at the end of the turn, and a read would overtake it. */
export class PendingWrites {
  readonly #last = new Map<string, Promise<void>>();

  /** Notes a write until it has settled. Returns it. */
  add<Result>(subject: string, write: Promise<Result>): Promise<Result> {
    const before = this.#last.get(subject);
    // Without what they answered: each would hold the one before it, for as long as the subject is never idle.
    const settled = write.then(nothing, nothing);
    const last = before ? Promise.all([before, settled]).then(nothing) : settled;
    this.#last.set(subject, last);
    void last.then(() => {
      if (this.#last.get(subject) === last) this.#last.delete(subject);
    });
    return write;
  }

  /** Waits for the writes of a subject; undefined where there are none. Never rejects. */
  settled(subject: string): Promise<void> | undefined {
    return this.#last.get(subject);
  }
}

function nothing(): void {}
