import type { Apply, Step } from '../../redis/index.ts';
import type { PartitionSteps } from './partition-steps.ts';
import type { StreamEntry } from './stream-entry.ts';

/** How taking an entry off its stream ended. */
export interface CommitOutcome {
  /** Why it failed; undefined if it did not. */
  readonly error?: unknown;
}

/** Takes one entry off its stream, for one try: together with the effects of its command, or without effects. */
export class EntryCommit {
  readonly #steps: PartitionSteps;
  readonly #entry: StreamEntry;
  #outcome: CommitOutcome | undefined;
  #isOver = false;

  constructor(steps: PartitionSteps, entry: StreamEntry) {
    this.#steps = steps;
    this.#entry = entry;
  }

  /** Undefined until it was tried. */
  get outcome(): CommitOutcome | undefined {
    return this.#outcome;
  }

  /** Commits the entry together with a step's effects. Refused once the try is over. */
  readonly apply: Apply = async <Result>(step: Step<Result>): Promise<Result> => {
    if (this.#isOver) throw new Error('This request is not served any more.');
    try {
      const reply = await this.#steps.commit(this.#entry, step);
      this.#outcome = {};
      return step.read(reply);
    } catch (error) {
      this.#outcome = { error };
      throw error;
    }
  };

  /** Ends the try: a command that is late writes nothing. */
  end(): void {
    this.#isOver = true;
  }

  /** Takes the entry off without effects. Never rejects: `outcome` says how it ended. */
  async drop(): Promise<void> {
    this.#outcome = await this.#steps.drop(this.#entry).then(
      () => ({}),
      (error: unknown) => ({ error }),
    );
  }
}
