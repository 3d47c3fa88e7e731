import { createHmac } from 'node:crypto';
import type { Clock, Keys, RedisConnection } from '../../redis/index.ts';
import type { ItemHasher } from '../item-hash.ts';
import { MINUTE_MS, MINUTES_PER_DAY } from '../utc-days.ts';

/* rule-counts.ts: how often suggestions fired, were shown, taken and dismissed in all, and for how many subjects each segment held
 * on a day. Names of rules stand here as keyed hashes, and subjects only as hashes in HyperLogLogs, another in each segment
 * and on each day, so that two of them cannot be compared. */

const DAY_MS = MINUTES_PER_DAY * MINUTE_MS;
/** Days of UTC of which segments are counted, today included: at most 12 KB a segment and day. */
export const SEGMENT_DAYS = 7;
// As long as a person is kept.
const KEPT_SECONDS = String(400 * 86_400);
/** Above so many fields, those of rules that are no more are deleted: four of each of 1,000 rules, and as many of before. */
const MOST_FIELDS = 8_000;
const MEMBERS_AT_ONCE = 1_000;

/** What is counted of a suggestion: how often it was answered to a page (`fired`), and how often pages marked it. */
export const RULE_MARKS = ['fired', 'shown', 'taken', 'dismissed'] as const;
export type RuleMark = (typeof RULE_MARKS)[number];

/** How often a suggestion fired, and was marked. */
export type RuleMarks = Readonly<Record<RuleMark, number>>;

/** For how many subjects a segment held, as estimates. */
export interface SegmentSubjects {
  readonly today: number;
  readonly yesterday: number;
}

/** The counts of rules of one namespace. */
export class RuleCounts {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #items: ItemHasher;
  readonly #key: string;
  readonly #now: Clock;

  /** `key`: hashes the subjects. */
  constructor(redis: RedisConnection, keys: Keys, items: ItemHasher, key: string, now: Clock) {
    this.#redis = redis;
    this.#keys = keys;
    this.#items = items;
    this.#key = key;
    this.#now = now;
  }

  /** The day of UTC, by Redis's clock. */
  today(): number {
    return Math.floor(this.#now() / DAY_MS);
  }

  /** Adds marks of suggestions. `rules`: the names of all that are configured; the marks of others may be deleted. */
  async addMarks(
    marks: readonly { readonly rule: string; readonly as: RuleMark; readonly count: number }[],
    rules: readonly string[],
  ): Promise<void> {
    if (marks.length === 0) return;
    const key = this.#keys.ruleMarks();
    const added = marks.map(({ rule, as, count }) =>
      this.#redis.command('HINCRBY', key, this.#fieldOf(rule, as), String(count)),
    );
    const [fields] = await Promise.all([
      this.#redis.command<number>('HLEN', key),
      this.#redis.command('EXPIRE', key, KEPT_SECONDS),
      ...added,
    ]);
    if (fields > MOST_FIELDS) await this.#deleteAllBut(rules);
  }

  /** Adds subjects for which a segment held on a day. */
  async addSubjects(segment: string, day: number, subjects: readonly string[]): Promise<void> {
    const key = this.#keyOf(segment, day);
    // One command at a time: hashing a thousand takes some milliseconds, in which nothing else is served.
    for (let from = 0; from < subjects.length; from += MEMBERS_AT_ONCE) {
      const members = subjects
        .slice(from, from + MEMBERS_AT_ONCE)
        .map((subject) => this.#memberOf(segment, day, subject));
      await this.#redis.command('PFADD', key, ...members);
    }
    const left = (day + SEGMENT_DAYS) * DAY_MS - this.#now();
    await this.#redis.command('PEXPIRE', key, String(Math.max(1, Math.ceil(left))));
  }

  /** Reads how often suggestions fired and were marked in all. */
  async marks(rules: readonly string[]): Promise<RuleMarks[]> {
    if (rules.length === 0) return [];
    const fields = rules.flatMap((rule) => RULE_MARKS.map((as) => this.#fieldOf(rule, as)));
    const counts = await this.#redis.command<(string | null)[]>('HMGET', this.#keys.ruleMarks(), ...fields);
    return rules.map((_, i) => {
      const of = RULE_MARKS.map((as, j) => [as, Number(counts[RULE_MARKS.length * i + j] ?? 0)] as const);
      return Object.fromEntries(of) as RuleMarks;
    });
  }

  /** Reads for how many subjects segments held. */
  async segments(names: readonly string[]): Promise<SegmentSubjects[]> {
    const days = await this.segmentDays(names, 2);
    return days.map(([today, yesterday]) => ({ today: today!, yesterday: yesterday! }));
  }

  /** Reads for how many subjects segments held on each of the last days of UTC, today first. `days`: default 7, the most
   *  that are kept. */
  segmentDays(names: readonly string[], days: number = SEGMENT_DAYS): Promise<number[][]> {
    const today = this.today();
    return Promise.all(
      names.map((name) =>
        Promise.all(
          Array.from({ length: days }, (_, back) =>
            this.#redis.command<number>('PFCOUNT', this.#keyOf(name, today - back)),
          ),
        ),
      ),
    );
  }

  async #deleteAllBut(rules: readonly string[]): Promise<void> {
    const key = this.#keys.ruleMarks();
    const kept = new Set(rules.flatMap((rule) => RULE_MARKS.map((as) => this.#fieldOf(rule, as))));
    const fields = await this.#redis.command<string[]>('HKEYS', key);
    const old = fields.filter((field) => !kept.has(field));
    if (old.length > 0) await this.#redis.command('HDEL', key, ...old);
  }

  #fieldOf(rule: string, as: RuleMark): string {
    return `${this.#items.of('rule', rule)}:${as}`;
  }

  #keyOf(segment: string, day: number): string {
    return this.#keys.segmentSubjects(this.#items.of('segment', segment), day);
  }

  #memberOf(segment: string, day: number, subject: string): string {
    const text = `segment\0${segment}\0${day}\0${subject}`;
    return createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, 11);
  }
}
