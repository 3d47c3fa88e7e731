import type { Apply, Step } from '../../redis/index.ts';
import { type CommitQueue, countItems } from './commit-queue.ts';
import type { StreamEntry } from './stream-entry.ts';

/** How taking an entry off its stream ended. */
export interface CommitOutcome {
  /** Why it failed; undefined if it did not. */
  readonly error?: unknown;
}

const COMMITTED: CommitOutcome = {};

/** Takes one entry off its stream, for one try: together with the effects of its command, or without effects. */
export class EntryCommit {
  readonly #queue: CommitQueue;
  readonly #entry: StreamEntry;
  readonly #payload: string;
  readonly #isAlone: boolean;
  #outcome: CommitOutcome | undefined;
  #isOver = false;

  /** `payload`: in the clear. `isAlone`: whether it is committed by itself. */
  constructor(queue: CommitQueue, entry: StreamEntry, payload: string, isAlone: boolean) {
    this.#queue = queue;
    this.#entry = entry;
    this.#payload = payload;
    this.#isAlone = isAlone;
  }

  /** Undefined until it was tried. */
  get outcome(): CommitOutcome | undefined {
    return this.#outcome;
  }

  /** Commits the entry together with a step's effects. Refused once the try is over. */
  readonly apply: Apply = <Result>(step: Step<Result>): Promise<Result> => {
    if (this.#isOver) return Promise.reject(new Error('This request is not served any more.'));
    return new Promise((resolve, reject) => {
      this.#add(step, countItems(this.#payload), (error, answer) => {
        if (error !== undefined) {
          reject(error);
          return;
        }
        try {
          resolve(step.read(answer));
        } catch (unread) {
          this.#outcome = { error: unread };
          reject(unread);
        }
      });
    });
  };

  /** Ends the try: a command that is late writes nothing. */
  end(): void {
    this.#isOver = true;
  }

  /** Takes the entry off without effects. Never rejects: `outcome` says how it ended. */
  drop(): Promise<void> {
    return new Promise((resolve) => {
      this.#add(undefined, 1, () => resolve());
    });
  }

  #add(step: Step<unknown> | undefined, items: number, onSettled: (error: unknown, answer: unknown) => void): void {
    const settle = (error: unknown, answer: unknown): void => {
      this.#outcome = error === undefined ? COMMITTED : { error };
      onSettled(error, answer);
    };
    const ready = { entry: this.#entry, step, items, settle };
    if (this.#isAlone) this.#queue.addAlone(ready);
    else this.#queue.add(ready);
  }
}
