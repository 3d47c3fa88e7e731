import type { Clock, Keys, RedisConnection, Step } from '../redis/index.ts';
import { runStep } from '../redis/index.ts';
import { readVisitScript } from './scripts/read-visit.ts';
import { recordVisitScript } from './scripts/record-visit.ts';
import type { SeenItemsOptions } from './seen-items.ts';
import { DAY_MS, dayOf, MINUTE_MS, minuteOfDay } from './utc-days.ts';

/** How long the calculated data of a session is kept, by Redis's clock. */
export interface Retention {
  /** After the last view, in seconds. Default 30 days. */
  readonly seconds: number;
  /** After the first view, until there is a second one, in seconds: bots and bounces. Default 30 minutes. */
  readonly bounceSeconds: number;
}

/** The defaults of design.md. */
export const RETENTION_DEFAULTS: Retention = { seconds: 30 * 86_400, bounceSeconds: 30 * 60 };

/** A session's visit; `previouslyVisited` is true only where a view was recorded. */
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

/** Page views of sessions: counter, seen pages, unique count and activity in one atomic step. */
export class Visits {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #retention: Retention;
  readonly #record: ReturnType<typeof recordVisitScript>;
  readonly #read: ReturnType<typeof readVisitScript>;

  constructor(redis: RedisConnection, keys: Keys, clock: Clock, options: SeenItemsOptions, retention: Retention) {
    this.#redis = redis;
    this.#keys = keys;
    this.#clock = clock;
    this.#retention = retention;
    this.#record = recordVisitScript(options);
    this.#read = readVisitScript(options);
  }

  /** Records a view of a page (an item key). `at` defaults to now, by Redis's clock; keys expire by Redis's clock also
   *  where it is given. Returns the visit as it was before, but for the two counts. */
  record(session: string, page: string, at?: number): Promise<Visit> {
    return runStep(this.#redis, this.recording(session, page, at));
  }

  /** The step that `record` does. */
  recording(session: string, page: string, at: number = this.#clock()): Step<Visit> {
    const day = dayOf(at);
    // Spelled out: to spread an object into a literal takes V8 5 us, more than all else here.
    const keys = {
      counters: this.#keys.counters(session),
      seenPages: this.#keys.seenItems(session, 'page'),
      uniquePages: this.#keys.uniqueCount(session, 'page'),
      today: this.#keys.activity(session, day),
      yesterday: this.#keys.activity(session, day - 1),
      seenItems: this.#keys.seenItems(session, 'item'),
      uniqueItems: this.#keys.uniqueCount(session, 'item'),
      foreignNotices: this.#keys.foreignNotices(session),
      noticeRings: this.#keys.noticeRings(session),
    };
    const { seconds: retentionSeconds, bounceSeconds } = this.#retention;
    const dayPrefix = this.#keys.activity(session);
    const args = { page, dayPrefix, day, minute: minuteOfDay(at), retentionSeconds, bounceSeconds };
    return this.#record.step(keys, args, ([totalPages, uniquePages, seen, bits]) => ({
      totalPages,
      uniquePages,
      previouslyVisited: seen === 1,
      ...readBits(bits),
    }));
  }

  /** Reads a visit as it is now, and records nothing. An unknown session has seen nothing. */
  async read(session: string): Promise<VisitSummary> {
    const at = this.#clock();
    const day = dayOf(at);
    const keys = {
      counters: this.#keys.counters(session),
      seenPages: this.#keys.seenItems(session, 'page'),
      uniquePages: this.#keys.uniqueCount(session, 'page'),
      today: this.#keys.activity(session, day),
      yesterday: this.#keys.activity(session, day - 1),
    };
    const args = { minute: minuteOfDay(at), dayPrefix: this.#keys.activity(session) };
    const [totalPages, uniquePages, isExact, bits, activeMinutes, firstDay, firstMinute] = await this.#read.run(
      this.#redis,
      keys,
      args,
    );
    return {
      totalPages,
      uniquePages,
      uniquePagesExact: isExact === 1,
      previouslyVisited: false,
      ...readBits(bits),
      activeMinutes,
      firstActiveMinute:
        firstDay === undefined || firstMinute === undefined ? undefined : firstDay * DAY_MS + firstMinute * MINUTE_MS,
    };
  }
}

function readBits(bits: number): Pick<Visit, 'lastMinutes' | 'thisMinute'> {
  return {
    lastMinutes: [5, 4, 3, 2, 1].map((back) => ((bits >> back) & 1) === 1),
    thisMinute: (bits & 1) === 1,
  };
}
