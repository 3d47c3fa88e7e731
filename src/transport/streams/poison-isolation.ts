import { WeightedSemaphore } from '../service/weighted-semaphore.ts';

/* poison-isolation.ts: tries entries that were in flight when a process crashed, over all partitions of an instance.
 *
 * Each try is marked before it is made, and when a process ends, every entry that was running is marked, not only the one
 * that caused it. So the more marks an entry has, the fewer run beside it: at first as many as there are, then some, the
 * last time none. If the process crashes while exactly one entry is running, that entry caused it. */

const UNITS = 1_024;
const UNITS_BY_TRIES = [1, UNITS / 32, UNITS];

// A try that does not end holds the others back only for so long.
const TURN_MS = 200;

/** Runs the tries of entries that were in flight when their owner crashed, in the order in which they come. */
export class PoisonIsolation {
  readonly #units = new WeightedSemaphore(() => UNITS, TURN_MS);

  /** Runs `work` as soon as the units of an entry that was tried so often before are free. */
  async run<Result>(tries: number, work: () => Promise<Result>): Promise<Result> {
    const release = await this.#units.acquire(UNITS_BY_TRIES[tries] ?? UNITS);
    try {
      return await work();
    } finally {
      release();
    }
  }
}
