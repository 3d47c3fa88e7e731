interface Waiting {
  readonly endsAt: number;
  expire(): void;
}

/** Bounds how long each of many pieces of work is waited for, with one timer for all of them: each is as long as the
 *  others, so the first that began is the first to end. */
export class TryDeadlines {
  readonly #ms: number;
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | undefined;

  /** `ms`: how long each is waited for. */
  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Waits for `work`, which must not reject. Undefined where it has not ended in time; it is not cancelled. */
  wait<Result>(work: Promise<Result>): Promise<Result | undefined> {
    return new Promise((resolve) => {
      const waiting = { endsAt: performance.now() + this.#ms, expire: () => resolve(undefined) };
      this.#waiting.add(waiting);
      this.#timer ??= setTimeout(this.#expire, this.#ms);
      void work.then((result) => {
        this.#waiting.delete(waiting);
        resolve(result);
      });
    });
  }

  readonly #expire = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const waiting of this.#waiting) {
      if (waiting.endsAt > now) {
        this.#timer = setTimeout(this.#expire, Math.ceil(waiting.endsAt - now));
        return;
      }
      this.#waiting.delete(waiting);
      waiting.expire();
    }
  };
}
