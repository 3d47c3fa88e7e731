import { RULE_MARKS, type RuleCounts, type RuleMark } from '../../knowledge/index.ts';
import type { Log } from '../log.ts';
import { LogThrottle } from '../log-throttle.ts';
import { PeriodicWrites } from '../periodic-writes.ts';
import type { ActiveRules } from './active-rules.ts';

/* rule-counting.ts: counts which suggestions fire and what is done with them, and for whom segments hold. No request waits for it: what is noted
 * here is written every five seconds, and lost with the process: these are statistics. */

/** How often counts are written, in milliseconds. */
export const RULES_INTERVAL_MS = 5_000;
/** So many subjects of segments are remembered as written today, and so many wait at most. */
const MOST_REMEMBERED = 100_000;
const MOST_WAITING = 20_000;
const FAILURE_LOG_INTERVAL_MS = 60_000;

/** Counts of marks of this process, by rule. */
export type MarkCounts = Record<RuleMark, number>;

/** Parts that counting needs. */
export interface RuleCountingContext {
  readonly counts: RuleCounts;
  readonly rules: ActiveRules;
  readonly log: Log;
  isEnabled(): boolean;
}

/** Counts marks of suggestions, and subjects of segments. */
export class RuleCounting {
  readonly #context: RuleCountingContext;
  readonly #failures = new LogThrottle(FAILURE_LOG_INTERVAL_MS);
  readonly #writes = new PeriodicWrites(() => this.#write(), RULES_INTERVAL_MS);
  readonly #marked = new Map<string, MarkCounts>();
  #marks = new Map<string, MarkCounts>();
  // Of today, by segment: those that were noted, and of these those that are not written yet.
  #day = 0;
  #noted = new Map<string, Set<string>>();
  #remembered = 0;
  #waiting = new Map<string, string[]>();
  #waitingSubjects = 0;

  constructor(context: RuleCountingContext) {
    this.#context = context;
  }

  /** How often each configured suggestion was marked in this process. */
  get marks(): ReadonlyMap<string, MarkCounts> {
    for (const rule of this.#marked.keys()) if (!this.#isKnown(rule)) this.#marked.delete(rule);
    return this.#marked;
  }

  /** Notes that suggestions fired, or were marked. Those that are not configured count nothing. */
  marked(rules: readonly string[], as: RuleMark): void {
    for (const rule of rules) {
      if (!this.#isKnown(rule)) continue;
      for (const counts of [this.#marks, this.#marked]) countsOf(counts, rule)[as] += 1;
    }
  }

  /** Notes the segments that hold for a subject. */
  held(subject: string, segments: readonly string[]): void {
    for (const segment of segments) this.#held(segment, subject);
  }

  #held(segment: string, subject: string): void {
    const today = this.#context.counts.today();
    if (today !== this.#day || this.#remembered >= MOST_REMEMBERED) this.#forget(today);
    let noted = this.#noted.get(segment);
    if (noted?.has(subject) || this.#waitingSubjects >= MOST_WAITING) return;
    if (!noted) {
      noted = new Set();
      this.#noted.set(segment, noted);
    }
    noted.add(subject);
    this.#remembered += 1;
    const waiting = this.#waiting.get(segment);
    if (waiting) waiting.push(subject);
    else this.#waiting.set(segment, [subject]);
    this.#waitingSubjects += 1;
  }

  // What was noted yesterday and is not written counts today: seconds around midnight.
  #forget(today: number): void {
    this.#day = today;
    this.#noted = new Map();
    this.#remembered = 0;
  }

  /** Starts. Its timer does not keep the process alive. */
  start(): void {
    this.#writes.start();
  }

  /** Writes what was noted, for at most `deadlineMs` milliseconds, and stops. */
  stop(deadlineMs: number): Promise<void> {
    return this.#writes.stop(deadlineMs);
  }

  /** Writes what was noted. One at a time; never rejects. */
  write(): Promise<void> {
    return this.#writes.write();
  }

  async #write(): Promise<void> {
    const { counts, rules, log, isEnabled } = this.#context;
    if ((this.#marks.size === 0 && this.#waiting.size === 0) || !isEnabled()) return;
    const [marks, waiting, day] = [this.#marks, this.#waiting, this.#day];
    [this.#marks, this.#waiting, this.#waitingSubjects] = [new Map(), new Map(), 0];
    const added = [...marks].flatMap(([rule, of]) =>
      RULE_MARKS.filter((as) => of[as] > 0).map((as) => ({ rule, as, count: of[as] })),
    );
    try {
      await counts.addMarks(
        added,
        rules.current.compiled.suggestions.map(({ name }) => name),
      );
      for (const [segment, subjects] of waiting) await counts.addSubjects(segment, day, subjects);
    } catch (error) {
      // Those that were not written are noted again when they come again.
      this.#forget(this.#day);
      if (this.#failures.mayLog()) log.warn({ err: error }, 'Counts of rules could not be written: these are missing.');
    }
  }

  #isKnown(rule: string): boolean {
    return this.#context.rules.current.compiled.suggestionsNamed(rule).length > 0;
  }
}

function countsOf(all: Map<string, MarkCounts>, rule: string): MarkCounts {
  const known = all.get(rule);
  if (known) return known;
  const fresh = { fired: 0, shown: 0, taken: 0, dismissed: 0 };
  all.set(rule, fresh);
  return fresh;
}
