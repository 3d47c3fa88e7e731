import { createHmac } from 'node:crypto';
import type { Clock } from '../../redis/index.ts';
import type { ItemHash, ItemHasher } from '../item-hash.ts';
import type { ReadingContext } from '../subject-reading.ts';

/* notice-reach.ts: how many subjects saw and read a notice, each in a HyperLogLog. What is added names no subject, and two
 * notices' cannot be compared. A subject is added once, when it sees or reads the notice first. Written behind the mark: where
 * that fails, or the process ends between the two, the mark stands and the estimate lacks one.
 *
 * When they did is counted by the hour, in a hash a notice and week: one more HINCRBY for each that is added. By the hour and
 * not as times, because a hash of at most 336 numbers costs the same for any audience. */

// As long as a person is kept.
const KEPT_SECONDS = String(400 * 86_400);
const HOUR_MS = 3_600_000;
const HOURS_PER_WEEK = 168;
/** So many weeks of hours are read, the one under way included. */
const WEEKS = 5;
// From the last first mark of the week.
const HOURS_KEPT_SECONDS = String(WEEKS * 7 * 86_400);

/** What became of marked notices: how many subjects saw and read them is counted by it. */
interface MarkedNotices {
  /** The hashes of the ids that the subject had not seen before. */
  readonly seen: readonly ItemHash[];
  /** Of those that it had not read before. */
  readonly read: readonly ItemHash[];
}

/** How many subjects saw and read a notice for the first time in an hour. */
export interface ReachOfHour {
  /** The beginning of the hour, in milliseconds of the epoch. */
  readonly at: number;
  readonly seen: number;
  readonly read: number;
}

/** Counts the subjects that saw and read notices. */
export class NoticeReach {
  readonly #context: ReadingContext;
  readonly #items: ItemHasher;
  readonly #key: string;
  readonly #now: Clock;

  /** `key`: hashes the subjects. */
  constructor(context: ReadingContext, items: ItemHasher, key: string, now: Clock) {
    this.#context = context;
    this.#items = items;
    this.#key = key;
    this.#now = now;
  }

  /** Adds a subject to those who saw and read notices. Never rejects: a notice may lie on another server than its reader. */
  async add(subject: string, { seen, read }: MarkedNotices): Promise<void> {
    const { keys } = this.#context;
    await Promise.allSettled([
      ...seen.map((notice) => this.#addTo(keys.noticeReach(notice, 'seen'), subject, notice)),
      ...read.map((notice) => this.#addTo(keys.noticeReach(notice, 'read'), subject, notice)),
      ...seen.map((notice) => this.#count(notice, 'seen')),
      ...read.map((notice) => this.#count(notice, 'read')),
    ]);
  }

  /** Estimates how many subjects saw and read each notice. */
  read(ids: readonly string[]): Promise<{ readonly seen: number; readonly read: number }[]> {
    const { redis, keys } = this.#context;
    return Promise.all(
      ids.map(async (id) => {
        const notice = this.#items.of('notice', id);
        const [seen, read] = await Promise.all([
          redis.command<number>('PFCOUNT', keys.noticeReach(notice, 'seen')),
          redis.command<number>('PFCOUNT', keys.noticeReach(notice, 'read')),
        ]);
        return { seen, read };
      }),
    );
  }

  /** Reads how many subjects saw and read a notice in each hour of the last five weeks: the hours in which somebody did,
   *  ascending. */
  async hours(id: string): Promise<ReachOfHour[]> {
    const { redis, keys } = this.#context;
    const notice = this.#items.of('notice', id);
    const { week } = this.#hour();
    const weeks = Array.from({ length: WEEKS }, (_, i) => week - WEEKS + 1 + i);
    const found = await Promise.all(
      weeks.map((each) => redis.command<Record<string, string>>('HGETALL', keys.noticeHours(notice, each))),
    );
    return found.flatMap((counts, i) => {
      const hours = [...new Set(Object.keys(counts).map((field) => Number(field.replace(/^[a-z]+/, ''))))];
      return hours
        .sort((one, other) => one - other)
        .map((hour) => ({
          at: (weeks[i]! * HOURS_PER_WEEK + hour) * HOUR_MS,
          seen: Number(counts[`seen${hour}`] ?? 0),
          read: Number(counts[`read${hour}`] ?? 0),
        }));
    });
  }

  async #count(notice: ItemHash, did: 'seen' | 'read'): Promise<void> {
    const { redis, keys } = this.#context;
    const { week, hour } = this.#hour();
    const key = keys.noticeHours(notice, week);
    const count = await redis.command<number>('HINCRBY', key, `${did}${hour}`, '1');
    if (count === 1) await redis.command('EXPIRE', key, HOURS_KEPT_SECONDS);
  }

  #hour(): { readonly week: number; readonly hour: number } {
    const hour = Math.floor(this.#now() / HOUR_MS);
    return { week: Math.floor(hour / HOURS_PER_WEEK), hour: hour % HOURS_PER_WEEK };
  }

  async #addTo(key: string, subject: string, notice: ItemHash): Promise<void> {
    const { redis } = this.#context;
    const member = createHmac('sha256', this.#key).update(`${notice} ${subject}`).digest('base64url').slice(0, 11);
    if ((await redis.command<number>('PFADD', key, member)) === 1) await redis.command('EXPIRE', key, KEPT_SECONDS);
  }
}
