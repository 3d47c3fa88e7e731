import type { Keys, RedisConnection } from '../redis/index.ts';
import { MAX_DAYS } from './scripts/activity-lua.ts';
import { setMinute } from './scripts/set-minute.ts';
import { DAY_MS, dayOf, MINUTE_MS, MINUTES_PER_DAY, minuteOfDay } from './utc-days.ts';

/* activity.ts: one bit per minute, one key per UTC day (1,440 bits, at most 180 bytes).
 *
 * A bitmap and not a sorted set, because the questions are "active in the last minutes?" and "how many minutes?".
 * Offsets count from midnight: counted from a far epoch, the first bit alone would take 3.7 MB (the 2018 sample's key
 * takes 655,448 bytes per session). A session has at most 35 day keys. The hash of its counters names them, so that no
 * script searches for them. */

/** Minutes of activity of sessions. Times are milliseconds of the epoch. */
export class Activity {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Marks the minute of `at` as active, for `retentionSeconds` from now. Returns whether it was already. */
  async set(session: string, at: number, retentionSeconds: number): Promise<boolean> {
    const day = dayOf(at);
    const { status } = await setMinute.run(
      this.#redis,
      {
        counters: this.#keys.counters(session),
        today: this.#keys.activity(session, day),
        yesterday: this.#keys.activity(session, day - 1),
      },
      { dayPrefix: this.#keys.activity(session), day, minute: minuteOfDay(at), retentionSeconds },
    );
    return status === 'wasActive';
  }

  /** Whether the minute of `at` was active. */
  async get(session: string, at: number): Promise<boolean> {
    return (
      (await this.#redis.command<number>(
        'GETBIT',
        this.#keys.activity(session, dayOf(at)),
        String(minuteOfDay(at)),
      )) === 1
    );
  }

  /** The minutes from `from` to `to`, both included: true where active.
   *  @throws RangeError where it is more than 35 days, or ends before it begins. */
  async range(session: string, from: number, to: number): Promise<boolean[]> {
    const first = Math.floor(from / MINUTE_MS);
    const last = Math.floor(to / MINUTE_MS);
    if (!(last >= first && last - first < MAX_DAYS * MINUTES_PER_DAY)) {
      throw new RangeError(
        `A range of ${last - first + 1} minutes cannot be read: give 1 to ${MAX_DAYS * MINUTES_PER_DAY}.`,
      );
    }
    const days = Array.from({ length: dayOf(to) - dayOf(from) + 1 }, (_, i) => dayOf(from) + i);
    const bitmaps = await Promise.all(
      days.map((day) => this.#redis.commandForBuffers<Buffer | null>('GET', this.#keys.activity(session, day))),
    );
    return Array.from({ length: last - first + 1 }, (_, i) => {
      const minute = first + i - days[0]! * MINUTES_PER_DAY;
      const bitmap = bitmaps[Math.floor(minute / MINUTES_PER_DAY)];
      const offset = minute % MINUTES_PER_DAY;
      return ((bitmap?.[offset >> 3] ?? 0) & (128 >> (offset & 7))) !== 0;
    });
  }

  /** T-5 to T-1 as seen at `now`, T being its minute. */
  async lastFive(session: string, now: number): Promise<boolean[]> {
    return this.range(session, now - 5 * MINUTE_MS, now - MINUTE_MS);
  }

  /** How many minutes were active, over all days that are kept. */
  async count(session: string): Promise<number> {
    const days = await this.days(session);
    const counts = await Promise.all(
      days.map((day) => this.#redis.command<number>('BITCOUNT', this.#keys.activity(session, day))),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** The first active minute that is kept, in milliseconds of the epoch. */
  async firstActiveMinute(session: string): Promise<number | undefined> {
    for (const day of await this.days(session)) {
      const bit = await this.#redis.command<number>('BITPOS', this.#keys.activity(session, day), '1');
      if (bit >= 0) return day * DAY_MS + bit * MINUTE_MS;
    }
    return undefined;
  }

  /** The UTC days (since the epoch) with a key, ascending. A day that has expired may still be named. */
  async days(session: string): Promise<number[]> {
    const fields = await this.#redis.command<string[]>('HKEYS', this.#keys.counters(session));
    return fields
      .filter((field) => field.startsWith('d'))
      .map((field) => Number(field.slice(1)))
      .sort((a, b) => a - b);
  }
}
