import type { Keys, RedisConnection } from '../redis/index.ts';
import { Script } from '../redis/index.ts';

/* activity.ts: one bit per minute, one key per UTC day (1,440 bits, at most 180 bytes).
 *
 * A bitmap and not a sorted set, because the questions are "active in the last minutes?" and "how many minutes?".
 * Offsets count from midnight: counted from a far epoch, the first bit alone would take 3.7 MB (the 2018 sample's key
 * takes 655,448 bytes per session). A session has at most 35 day keys; which ones, its facts tell, so that nothing has
 * to search for them. */

/** The most day keys of a session; the oldest is dropped. */
export const MAX_DAYS = 35;
export const MINUTE_MS = 60_000;
export const DAY_MS: number = 24 * 60 * MINUTE_MS;
const MINUTES_PER_DAY = 1440;

/** The UTC day of a time, in days since the epoch. */
export function dayOf(at: number): number {
  return Math.floor(at / DAY_MS);
}

/** The minute of a time within its UTC day: 0 to 1,439. */
export function minuteOfDay(at: number): number {
  return Math.floor((at - dayOf(at) * DAY_MS) / MINUTE_MS);
}

/** Redis functions to stand before a script's body:
 *  `activity_days(facts)` -> the days that have a key, ascending;
 *  `activity_set(facts, today, yesterday, prefix, day, minute)` -> the bits of T-5 to T before, T the lowest; and
 *  whether a day key was made;
 *  `activity_last(today, yesterday, minute)` -> the same bits, nothing set. */
export const ACTIVITY_LUA: string = `
local function activity_days(facts)
  local days = {}
  for _, field in ipairs(redis.call('HKEYS', facts)) do
    if string.sub(field, 1, 1) == 'd' then days[#days + 1] = tonumber(string.sub(field, 2)) end
  end
  table.sort(days)
  return days
end

local function activity_last(today, yesterday, minute)
  if minute >= 5 then return redis.call('BITFIELD', today, 'GET', 'u6', minute - 5)[1] end
  local before = redis.call('BITFIELD', yesterday, 'GET', 'u' .. (5 - minute), ${MINUTES_PER_DAY} - (5 - minute))[1]
  local since = redis.call('BITFIELD', today, 'GET', 'u' .. (minute + 1), 0)[1]
  return before * 2 ^ (minute + 1) + since
end

local function activity_set(facts, today, yesterday, prefix, day, minute)
  local bits = activity_last(today, yesterday, minute)
  if bits % 2 == 1 then return bits, false end
  -- A string that SETBIT makes longer is given twice its size; SET gives it what it needs and half an hour's room.
  local bytes, needed = redis.call('STRLEN', today), math.floor(minute / 8) + 1
  if bytes < needed then
    local size = math.min(needed + 3, ${MINUTES_PER_DAY / 8})
    redis.call('SET', today, (redis.call('GET', today) or '') .. string.rep('\\0', size - bytes), 'KEEPTTL')
  end
  redis.call('SETBIT', today, minute, 1)
  if redis.call('HSETNX', facts, 'd' .. day, '') == 0 then return bits, false end
  if redis.call('HLEN', facts) > ${MAX_DAYS} then
    local days = activity_days(facts)
    for i = 1, #days - ${MAX_DAYS} do
      redis.call('DEL', prefix .. string.format('%d', days[i]))
      redis.call('HDEL', facts, 'd' .. string.format('%d', days[i]))
    end
  end
  return bits, true
end
`;

/* Input: KEYS facts, today, yesterday; ARGV prefix of day keys, day, minute, retention in seconds.
   Output: 1 where the minute was set already. */
const setMinute = new Script<number>(`${ACTIVITY_LUA}
local bits = activity_set(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], tonumber(ARGV[3]))
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return bits % 2`);

/** Minutes of activity of sessions. Times are milliseconds of the epoch; a minute is one of UTC, which every time zone
 *  in use today shares. */
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
    const keys = [
      this.#keys.counters(session),
      this.#keys.activity(session, day),
      this.#keys.activity(session, day - 1),
    ];
    const args = [this.#keys.activity(session), day, minuteOfDay(at), retentionSeconds];
    return (await setMinute.run(this.#redis, keys, args)) === 1;
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
