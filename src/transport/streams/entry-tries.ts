import { setTimeout as pause } from 'node:timers/promises';
import type { TryResult } from './entry-server.ts';
import type { PartitionSteps } from './partition-steps.ts';
import { instanceOf, NO_TRIES, parseTries, type Tries } from './tries.ts';

/** How often a request is tried. */
export const MAX_TRIES = 3;

// A process that lives takes its marks back as soon as Redis answers it. One that says that it is there for longer and
// does not is taken for dead.
const MARKS_PATIENCE_MS = 5_000;
const MARKS_LOOK_MS = 100;
const TAKE_BACK_RETRY_MS = 200;
const TAKE_BACK_LIMIT_MS = 60_000;

/** What one ownership knows of the tries of its entries (tries.ts). */
export class EntryTries {
  readonly #steps: PartitionSteps;
  readonly #instance: string;
  readonly #isPresent: (instance: string) => boolean;
  readonly #hasEnded: () => boolean;
  readonly #known = new Map<string, Tries>();
  /** Entries whose tries are under way under a mark. */
  readonly #marked = new Set<string>();
  #looking: Promise<void> | undefined;

  constructor(steps: PartitionSteps, token: string, isPresent: (instance: string) => boolean, hasEnded: () => boolean) {
    this.#steps = steps;
    this.#instance = instanceOf(token);
    this.#isPresent = isPresent;
    this.#hasEnded = hasEnded;
  }

  /** Takes what is known under former owners, ids and texts in turn. */
  know(flat: readonly string[]): void {
    for (let i = 0; i + 1 < flat.length; i += 2) this.#known.set(flat[i]!, parseTries(flat[i + 1]!));
  }

  /** Forgets an entry that has left. */
  forget(id: string): void {
    this.#known.delete(id);
  }

  /** Whether anything is known against an entry. */
  has(id: string): boolean {
    return this.#known.has(id);
  }

  /** Tries that failed, and marks of other instances. This process lives, so its own marks say nothing. */
  countOf(id: string): number {
    return (this.#known.get(id) ?? NO_TRIES).failed + this.#othersOf(id).length;
  }

  /** Whether an entry failed, or ended its process, three times. Marks of instances that still say that they are there
   *  may yet be taken back: those are waited for, so that nothing is held against an entry whose owner only lost its
   *  lease. */
  async isEnough(id: string): Promise<boolean> {
    const end = performance.now() + MARKS_PATIENCE_MS;
    while (this.#isOpen(id) && performance.now() < end) {
      this.#looking ??= this.#lookAgain();
      await this.#looking;
    }
    return !this.#hasEnded() && this.countOf(id) >= MAX_TRIES;
  }

  /** Counts a try that failed and had no mark. */
  async fail(id: string): Promise<void> {
    this.#known.set(id, await this.#steps.endTry(id, true));
  }

  /** Makes a try under a mark. */
  async mark(id: string, attempt: () => Promise<TryResult>): Promise<TryResult> {
    if (this.#hasEnded()) return 'ended';
    let result: TryResult;
    this.#marked.add(id);
    try {
      // Where its answer is lost, the mark may be set all the same.
      this.#known.set(id, await this.#steps.beginTry(id));
      result = await attempt();
    } catch (error) {
      this.#takeBack(id);
      throw error;
    }
    this.#marked.delete(id);
    if (result === 'ended') this.#takeBack(id);
    else if (result instanceof Error) await this.fail(id);
    return result;
  }

  /** Takes all marks back: the process ends in good order, and what it leaves undone has not ended it. */
  takeAllBack(): void {
    for (const id of this.#marked) this.#takeBack(id);
  }

  // The try has ended otherwise than with its process: so the mark is taken back until Redis has done it, whichever
  // instance owns the partition by then.
  #takeBack(id: string): void {
    this.#marked.delete(id);
    const end = performance.now() + TAKE_BACK_LIMIT_MS;
    const takeBack = (): void => {
      this.#steps.endTry(id, false).catch(() => {
        if (performance.now() < end) setTimeout(takeBack, TAKE_BACK_RETRY_MS).unref();
      });
    };
    takeBack();
  }

  #isOpen(id: string): boolean {
    return !this.#hasEnded() && this.#othersOf(id).some(this.#isPresent);
  }

  #othersOf(id: string): string[] {
    const { underWay } = this.#known.get(id) ?? NO_TRIES;
    return underWay.map(instanceOf).filter((instance) => instance !== this.#instance);
  }

  // One look for all that wait.
  async #lookAgain(): Promise<void> {
    await pause(MARKS_LOOK_MS);
    const texts = await this.#steps.allTries();
    for (const id of this.#known.keys()) this.#known.set(id, parseTries(texts[id] ?? ''));
    this.#looking = undefined;
  }
}
