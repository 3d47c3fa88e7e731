import type { Script } from '../../redis/index.ts';
import { defineBatch } from './scripts/commit-batch.ts';

/** The script of a batch, and the numbers of its steps' sources by their hashes. */
export interface BatchScript {
  readonly script: ReturnType<typeof defineBatch>;
  readonly numbers: ReadonlyMap<string, number>;
}

/** How many scripts of several steps there are at the most: Redis keeps each that it was sent. Commands that write have
 *  a handful of steps, and most batches have one or two of them. */
export const MOST_MIXED_SCRIPTS = 16;

/** The scripts of batches, by the set of their steps' sources. */
export class BatchScripts {
  readonly #scripts = new Map<string, BatchScript>();
  #mixed = 0;

  /** The script for these steps, which differ; undefined where there are too many scripts already. There is always one
   *  for a single step, and for none. */
  of(steps: readonly Script<unknown>[]): BatchScript | undefined {
    const name =
      steps.length > 1
        ? steps
            .map(({ hash }) => hash)
            .sort()
            .join()
        : (steps[0]?.hash ?? '');
    const known = this.#scripts.get(name);
    if (known) return known;
    if (steps.length > 1) {
      if (this.#mixed === MOST_MIXED_SCRIPTS) return undefined;
      this.#mixed += 1;
    }
    const sorted = [...steps].sort((one, other) => (one.hash < other.hash ? -1 : 1));
    const made = { script: defineBatch(sorted), numbers: new Map(sorted.map(({ hash }, i) => [hash, i + 1])) };
    this.#scripts.set(name, made);
    return made;
  }
}
