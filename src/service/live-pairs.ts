import { type Knowledge, type PairCounts, type PairIncrements, type PairName, pairKey } from '../knowledge/index.ts';
import type { SeenKind } from '../redis/index.ts';
import type { Log } from './log.ts';
import { LogThrottle } from './log-throttle.ts';
import { PeriodicWrites } from './periodic-writes.ts';

/* live-pairs.ts: counts which registered names subjects saw together. A page waits for none of it: what was seen for the
 * first time is noted here, and every five seconds each subject that is noted is read once, and all counts are added with one
 * command. What was noted is lost with the process: these are statistics. */

/** How often counts are written, in milliseconds. */
export const PAIRS_INTERVAL_MS = 5_000;
/** A subject that saw more registered names is no longer counted: robots see all of them. */
export const MOST_NAMES_OF_SUBJECT = 64;
const MOST_SUBJECTS_NOTED = 10_000;
// Decrypting what they saw takes some milliseconds, in which nothing else is served.
const SUBJECTS_AT_ONCE = 500;
const FAILURE_LOG_INTERVAL_MS = 60_000;

type Outcome = 'counted' | 'crowded' | 'left-out' | 'failed';

/** Parts that live counts need. */
export interface LivePairsContext {
  readonly knowledge: Knowledge;
  readonly counts: PairCounts;
  readonly names: readonly PairName[];
  readonly log: Log;
  isEnabled(): boolean;
  /** Called for each subject. */
  onSubject(outcome: Outcome): void;
}

/** Counts pairs of registered names that subjects saw. */
export class LivePairs {
  readonly #context: LivePairsContext;
  readonly #numbers: Readonly<Record<SeenKind, ReadonlyMap<number, number>>>;
  readonly #failures = new LogThrottle(FAILURE_LOG_INTERVAL_MS);
  readonly #writes = new PeriodicWrites(() => this.#write(), PAIRS_INTERVAL_MS);
  #noted = new Map<string, Set<number>>();

  constructor(context: LivePairsContext) {
    this.#context = context;
    const numbersOf = (kind: SeenKind): Map<number, number> =>
      new Map(context.names.flatMap((name, i) => (name.kind === kind ? [[name.hash, i] as const] : [])));
    this.#numbers = { page: numbersOf('page'), item: numbersOf('item') };
  }

  /** Notes that a subject saw an item for the first time. Costs a look-up where the name is not registered. */
  saw(subject: string, kind: SeenKind, item: number): void {
    const name = this.#numbers[kind].get(item);
    if (name === undefined) return;
    const names = this.#noted.get(subject);
    if (names) names.add(name);
    else if (this.#noted.size >= MOST_SUBJECTS_NOTED) this.#context.onSubject('left-out');
    else this.#noted.set(subject, new Set([name]));
  }

  /** Starts. Its timer does not keep the process alive. */
  start(): void {
    this.#writes.start();
  }

  /** Writes what was noted, for at most `deadlineMs` milliseconds, and stops. */
  stop(deadlineMs: number): Promise<void> {
    return this.#writes.stop(deadlineMs);
  }

  /** Reads the noted subjects and adds their counts. One at a time; never rejects. */
  write(): Promise<void> {
    return this.#writes.write();
  }

  async #write(): Promise<void> {
    const { counts, log, onSubject, isEnabled } = this.#context;
    if (this.#noted.size === 0 || !isEnabled()) return;
    const noted = this.#noted;
    this.#noted = new Map();
    const sums: PairIncrements = { subjects: 0, pairs: new Map() };
    try {
      const outcomes: Outcome[] = [];
      const subjects = [...noted];
      for (let from = 0; from < subjects.length; from += SUBJECTS_AT_ONCE) {
        const part = subjects.slice(from, from + SUBJECTS_AT_ONCE);
        outcomes.push(...(await Promise.all(part.map(([subject, names]) => this.#count(subject, names, sums)))));
      }
      if (sums.pairs.size > 0) await counts.add(sums);
      for (const outcome of outcomes) onSubject(outcome);
    } catch (error) {
      for (const _ of noted) onSubject('failed');
      if (this.#failures.mayLog())
        log.warn({ err: error }, 'Pairs of names could not be counted: these views are missing.');
    }
  }

  /** Adds a subject that saw `fresh` since it was looked at last: each of these with each other name that it saw. */
  async #count(subject: string, fresh: ReadonlySet<number>, sums: PairIncrements): Promise<Outcome> {
    const seen = await this.#seenBy(subject);
    if (seen.length > MOST_NAMES_OF_SUBJECT) return 'crowded';
    const isFresh = seen.map((name) => fresh.has(name));
    if (isFresh.every(Boolean) && seen.length > 0) sums.subjects += 1;
    for (const [i, name] of seen.entries()) {
      for (let j = 0; j <= i; j += 1) {
        if (!isFresh[i] && !isFresh[j]) continue;
        const key = pairKey(name, seen[j]!);
        sums.pairs.set(key, (sums.pairs.get(key) ?? 0) + 1);
      }
    }
    return 'counted';
  }

  async #seenBy(subject: string): Promise<number[]> {
    const reading = this.#context.knowledge.readAgain(subject);
    const ofKind = async (kind: SeenKind): Promise<number[]> => {
      const numbers = this.#numbers[kind];
      return (await reading.seenOf(kind, numbers)).map((hash) => numbers.get(hash)!);
    };
    const [pages, items] = await Promise.all([ofKind('page'), ofKind('item')]);
    return [...pages, ...items].sort((a, b) => a - b);
  }
}
