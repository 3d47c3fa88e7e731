import { createHmac } from 'node:crypto';
import { isPerson } from '../../protocol/index.ts';
import type { Clock, Keys, RedisConnection } from '../../redis/index.ts';
import { HotCache } from '../hot-cache.ts';
import type { ItemHash, ItemHasher } from '../item-hash.ts';
import { MINUTE_MS } from '../utc-days.ts';
import { NameSeal, type SiteName } from './name-seal.ts';
import { addToMinute, nameFields, readMinutes, SITE_FIELDS } from './site-scripts.ts';

/* site-minutes.ts: what happens on the whole site, minute by minute: how many views there were, how many visitors, and
 * which registered names of pages were viewed. A minute is three keys, whatever the number of views and visitors; counters
 * are kept for an hour, visitors (as hashes in HyperLogLogs) for half an hour. No path stands there, and no name in clear. */

/** Minutes of which the views are told one by one, the present one included. */
export const SITE_MINUTES = 60;
/** The two times for which visitors are counted, in minutes; the present minute comes on top. */
export const SHORT_MINUTES = 5;
export const LONG_MINUTES = 30;
/** How many names of pages are told, those with most views. */
export const TOP_PAGES = 20;

// Beyond the last minute that is read: clocks of readers differ a little, and a write can be late.
const SPARE_MINUTES = 5;
const COUNTED_SECONDS = (SITE_MINUTES + SPARE_MINUTES) * 60;
const KNOWN_SECONDS = (LONG_MINUTES + SPARE_MINUTES) * 60;
/** Above so many names, those of configurations of before are deleted: of 200 clusters and 500 pages, and as many of before. */
const MOST_NAMES = 1_400;
// `unpack` takes some thousand, and Redis hashes a thousand in less than a millisecond.
const VISITORS_AT_ONCE = 1_000;
const REMEMBERED_VISITORS = 10_000;

/** What is added to a minute. */
export interface SiteCounts {
  readonly views: number;
  /** First views of visitors. */
  readonly fresh: number;
  /** Views behind more than five minutes without one. */
  readonly back: number;
  /** Requests of robots. */
  readonly robots: number;
  /** Views of registered names, by `fieldOf`. */
  readonly pages: ReadonlyMap<string, number>;
  /** Names of subjects that were active. */
  readonly subjects: readonly string[];
}

/** Visitors and events of the last minutes. The numbers of visitors are estimates: standard error 0.81 %. */
export interface SiteTime {
  /** Sessions and persons. A visitor who logs in is both. */
  readonly visitors: number;
  /** Of these, persons: people who are logged in. */
  readonly persons: number;
  readonly views: number;
  readonly fresh: number;
  readonly back: number;
  readonly robots: number;
}

/** What happens on the site. */
export interface SiteNow {
  /** The beginning of the present minute, in milliseconds of the epoch, by Redis's clock. */
  readonly minute: number;
  /** Views of each of the last 60 minutes: the oldest first, the present one at the end. */
  readonly views: readonly number[];
  /** The present minute and the five before it. */
  readonly last5: SiteTime;
  /** The present minute and the 30 before it. */
  readonly last30: SiteTime;
  /** The registered names that were viewed most in the longer of these times. A view counts for each name that it has. */
  readonly pages: readonly (SiteName & { readonly views: number })[];
}

/** The minutes of one namespace's site. */
export class SiteMinutes {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #items: ItemHasher;
  readonly #now: Clock;
  readonly #seal: NameSeal;
  readonly #members: HotCache<string>;

  /** `secret`: the namespace's. */
  constructor(redis: RedisConnection, keys: Keys, items: ItemHasher, secret: string, now: Clock) {
    this.#redis = redis;
    this.#keys = keys;
    this.#items = items;
    this.#now = now;
    this.#seal = new NameSeal(secret, keys.namespace);
    // The same in all minutes, because one visitor of two minutes is one. Without the secret it tells nothing.
    const memberOf = (subject: string): string =>
      createHmac('sha256', secret).update(`site\0${subject}`).digest('base64url').slice(0, 11);
    this.#members = new HotCache(REMEMBERED_VISITORS, memberOf);
  }

  /** The present minute, by Redis's clock: minutes since the epoch. */
  thisMinute(): number {
    return Math.floor(this.#now() / MINUTE_MS);
  }

  /** The field under which views of a registered name are counted. */
  fieldOf(kind: SiteName['kind'], hash: ItemHash): string {
    return `${kind[0]}${hash}`;
  }

  /** Adds counts to a minute, with one command for each 1,000 visitors. Whether names are there for the fields. */
  async add(minute: number, { views, fresh, back, robots, pages, subjects }: SiteCounts): Promise<boolean> {
    const counts: (readonly [string, number])[] = [
      [SITE_FIELDS.views, views],
      [SITE_FIELDS.fresh, fresh],
      [SITE_FIELDS.back, back],
      [SITE_FIELDS.robots, robots],
      ...pages,
    ];
    let fields = counts.filter(([, count]) => count > 0);
    let hasNames = false;
    for (let from = 0; from === 0 || from < subjects.length; from += VISITORS_AT_ONCE) {
      const part = subjects.slice(from, from + VISITORS_AT_ONCE);
      hasNames = await this.#addPart(minute, fields, part);
      fields = [];
    }
    return hasNames;
  }

  async #addPart(
    minute: number,
    fields: readonly (readonly [string, number])[],
    subjects: readonly string[],
  ): Promise<boolean> {
    const membersOf = (isOf: (subject: string) => boolean): string[] =>
      subjects.filter(isOf).map((subject) => this.#members.of(subject));
    const sessions = membersOf((subject) => !isPerson(subject));
    const hasNames = await addToMinute.run(
      this.#redis,
      {
        counters: this.#keys.siteMinute(minute),
        sessions: this.#keys.siteVisitors(minute, 'sessions'),
        persons: this.#keys.siteVisitors(minute, 'persons'),
        names: this.#keys.siteNames(),
      },
      { fields: fields.length, visitors: sessions.length, counted: COUNTED_SECONDS, known: KNOWN_SECONDS },
      { args: [...fields.flatMap(([field, count]) => [field, String(count)]), ...sessions, ...membersOf(isPerson)] },
    );
    return hasNames === 1;
  }

  /** Writes registered names, so that readers can tell them who have the secret and no configuration. */
  async addNames(names: readonly SiteName[]): Promise<void> {
    if (names.length === 0) return;
    const sealed = names.flatMap((each) => {
      const field = this.fieldOf(each.kind, this.#items.of(each.kind, each.name));
      return [field, this.#seal.close(field, each)];
    });
    const args = { most: MOST_NAMES, counted: COUNTED_SECONDS };
    await nameFields.run(this.#redis, { names: this.#keys.siteNames() }, args, { args: sealed });
  }

  /** Reads the last hour, with one command. */
  async read(): Promise<SiteNow> {
    const minute = this.thisMinute();
    const last = (count: number): number[] => Array.from({ length: count }, (_, back) => minute - back);
    const visited = last(LONG_MINUTES + 1);
    const [lastSessions, lastPersons, sessions, persons, counts, top] = await readMinutes.run(
      this.#redis,
      { names: this.#keys.siteNames() },
      { visited: visited.length, short: SHORT_MINUTES + 1, pages: TOP_PAGES },
      {
        keys: [
          ...last(SITE_MINUTES).map((each) => this.#keys.siteMinute(each)),
          ...visited.map((each) => this.#keys.siteVisitors(each, 'sessions')),
          ...visited.map((each) => this.#keys.siteVisitors(each, 'persons')),
        ],
      },
    );
    const sum = (field: 0 | 1 | 2 | 3, minutes: number): number => {
      let total = 0;
      for (let back = 0; back <= minutes; back += 1) total += counts[4 * back + field] ?? 0;
      return total;
    };
    const timeOf = (minutes: number, ofSessions: number, ofPersons: number): SiteTime => ({
      visitors: ofSessions + ofPersons,
      persons: ofPersons,
      views: sum(0, minutes),
      fresh: sum(1, minutes),
      back: sum(2, minutes),
      robots: sum(3, minutes),
    });
    return {
      minute: minute * MINUTE_MS,
      views: Array.from({ length: SITE_MINUTES }, (_, i) => counts[4 * (SITE_MINUTES - 1 - i)] ?? 0),
      last5: timeOf(SHORT_MINUTES, lastSessions, lastPersons),
      last30: timeOf(LONG_MINUTES, sessions, persons),
      pages: top.flatMap(([field, views, sealed]) => {
        // Names are written behind the first counts, and may have expired before them.
        const name = sealed === null ? undefined : this.#seal.open(field, sealed);
        return name ? [{ ...name, views }] : [];
      }),
    };
  }
}
