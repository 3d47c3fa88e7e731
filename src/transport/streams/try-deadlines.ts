import { CallbackDeadline, DeadlineQueue } from '../../async/index.ts';

/** Bounds how long each of many pieces of work is waited for, with one timer for all of them. */
export class TryDeadlines {
  readonly #ms: number;
  readonly #deadlines = new DeadlineQueue();

  /** `ms`: how long each is waited for. */
  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Waits for `work`, which must not reject. Undefined where it has not ended in time; it is not cancelled. */
  wait<Result>(work: Promise<Result>): Promise<Result | undefined> {
    return new Promise((resolve) => {
      const deadline = new CallbackDeadline(() => resolve(undefined));
      this.#deadlines.add(deadline, this.#ms);
      void work.then((result) => {
        this.#deadlines.remove(deadline);
        resolve(result);
      });
    });
  }
}
