import type { Clock, Keys, RedisConnection, Step } from '../redis/index.ts';
import { makeStep, runStep, Script } from '../redis/index.ts';
import { ACTIVITY_LUA, DAY_MS, dayOf, MINUTE_MS, minuteOfDay } from './activity.ts';
import { type SeenItemsOptions, seenItemsLua } from './seen-items.ts';

/** How long what is known of a session is kept, relative to Redis's clock. */
export interface Retention {
  /** After the last view, in seconds. Default 30 days. */
  readonly seconds: number;
  /** After the first view, until there is a second one, in seconds: bots and bounces. Default 30 minutes. */
  readonly bounceSeconds: number;
}

/** The defaults of design.md. */
export const RETENTION_DEFAULTS: Retention = { seconds: 30 * 86_400, bounceSeconds: 30 * 60 };

/** What a session's visit looks like; `previouslyVisited` stands only where a view was recorded. */
export interface Visit {
  readonly totalPages: number;
  readonly uniquePages: number;
  readonly previouslyVisited: boolean;
  /** T-5 to T-1. */
  readonly lastMinutes: readonly boolean[];
  readonly thisMinute: boolean;
}

/** A visit with all its active minutes. */
export interface VisitSummary extends Visit {
  readonly activeMinutes: number;
  /** In milliseconds of the epoch. */
  readonly firstActiveMinute: number | undefined;
  /** Whether `uniquePages` is exact or an estimate. */
  readonly uniquePagesExact: boolean;
}

/** The one atomic step of a page view.
 *
 *  Input: KEYS counters, seen pages, unique pages, today, yesterday, then what else the session may have;
 *         ARGV page, prefix of day keys, day, minute, retention and bounce in seconds.
 *  Output: all views, unique pages, 1 where the page had been seen, the bits of T-5 to T before.
 *  Expiry is moved once a minute of activity and not at each view, that of marked items and notices once a day: of 30
 *  days that is nothing, and every EXPIRE is a tenth of this script's time. */
export function recordVisitScript(options: SeenItemsOptions): Script<[number, number, number, number]> {
  return new Script(`${seenItemsLua(options)}${ACTIVITY_LUA}
      local total = redis.call('HINCRBY', KEYS[1], 'v', 1)
      local seen, seen_made, unique = seen_add(KEYS[2], KEYS[3], ARGV[1])
      local bits, day_made = activity_set(KEYS[1], KEYS[4], KEYS[5], ARGV[2], ARGV[3], tonumber(ARGV[4]))
      local retention, minute_made = tonumber(ARGV[5]), bits % 2 == 0
      local function expire(first, last, seconds)
        for i = first, last do redis.call('EXPIRE', KEYS[i], seconds) end
      end
      if total == 1 then
        expire(1, unique and 2 or 3, ARGV[6])
        expire(4, 4, ARGV[6])
      elseif total == 2 or minute_made or seen_made then
        expire(1, unique and 2 or 3, retention)
        expire(4, 4, retention)
        if total == 2 or day_made or retention < 172800 then expire(6, #KEYS, retention) end
        if total == 2 then
          for _, day in ipairs(activity_days(KEYS[1])) do
            redis.call('EXPIRE', ARGV[2] .. string.format('%d', day), retention)
          end
        end
      end
      return { total, unique or (seen_count(KEYS[2], KEYS[3])), seen, bits }`);
}

/** Page views of sessions: counter, seen pages, unique count and activity in one atomic step. */
export class Visits {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #retention: Retention;
  readonly #record: Script<[number, number, number, number]>;
  readonly #read: Script<[number, number, number, number, number, ...number[]]>;

  constructor(redis: RedisConnection, keys: Keys, clock: Clock, options: SeenItemsOptions, retention: Retention) {
    this.#redis = redis;
    this.#keys = keys;
    this.#clock = clock;
    this.#retention = retention;
    this.#record = recordVisitScript(options);
    /* Input: KEYS counters, seen pages, unique pages, today, yesterday; ARGV minute, prefix of day keys.
       Output: all views, unique pages, 1 where that is exact, the bits of T-5 to T, active minutes, and where there
       are any the day and the minute of the first. */
    this.#read = new Script(`${seenItemsLua(options)}${ACTIVITY_LUA}
      local total = tonumber(redis.call('HGET', KEYS[1], 'v') or 0)
      local unique, exact = seen_count(KEYS[2], KEYS[3])
      local bits = activity_last(KEYS[4], KEYS[5], tonumber(ARGV[1]))
      local minutes, first_day, first_minute = 0, nil, nil
      for _, day in ipairs(activity_days(KEYS[1])) do
        local key = ARGV[2] .. string.format('%d', day)
        local count = redis.call('BITCOUNT', key)
        if count > 0 and not first_day then first_day, first_minute = day, redis.call('BITPOS', key, 1) end
        minutes = minutes + count
      end
      return { total, unique, exact, bits, minutes, first_day, first_minute }`);
  }

  /** Records a view of a page (an item key). `at` defaults to now, by Redis's clock; keys expire by Redis's clock
   *  whatever it says. Returns the visit as it was before, but for the two counts. */
  record(session: string, page: string, at?: number): Promise<Visit> {
    return runStep(this.#redis, this.recording(session, page, at));
  }

  /** The step that `record` does. */
  recording(session: string, page: string, at: number = this.#clock()): Step<Visit> {
    const day = dayOf(at);
    const [counters, pages, unique, ...others] = this.#keys.all(session);
    const keys = [counters!, pages!, unique!, ...this.#dayKeys(session, day), ...others];
    const { seconds, bounceSeconds } = this.#retention;
    const args = [page, this.#keys.activity(session), day, minuteOfDay(at), seconds, bounceSeconds];
    return makeStep(this.#record, keys, args, ([totalPages, uniquePages, seen, bits]) => ({
      totalPages,
      uniquePages,
      previouslyVisited: seen === 1,
      ...readBits(bits),
    }));
  }

  /** Reads a visit as it is now, and records nothing. An unknown session has seen nothing. */
  async read(session: string): Promise<VisitSummary> {
    const at = this.#clock();
    const [counters, pages, unique] = this.#keys.all(session);
    const keys = [counters!, pages!, unique!, ...this.#dayKeys(session, dayOf(at))];
    const args = [minuteOfDay(at), this.#keys.activity(session)];
    const [totalPages, uniquePages, exact, bits, activeMinutes, day, minute] = await this.#read.run(
      this.#redis,
      keys,
      args,
    );
    return {
      totalPages,
      uniquePages,
      uniquePagesExact: exact === 1,
      previouslyVisited: false,
      ...readBits(bits),
      activeMinutes,
      firstActiveMinute: day === undefined || minute === undefined ? undefined : day * DAY_MS + minute * MINUTE_MS,
    };
  }

  #dayKeys(session: string, day: number): [string, string] {
    return [this.#keys.activity(session, day), this.#keys.activity(session, day - 1)];
  }
}

function readBits(bits: number): Pick<Visit, 'lastMinutes' | 'thisMinute'> {
  return {
    lastMinutes: [5, 4, 3, 2, 1].map((back) => ((bits >> back) & 1) === 1),
    thisMinute: (bits & 1) === 1,
  };
}
