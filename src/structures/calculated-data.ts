import type { Clock, Keys, RedisConnection } from '../redis/index.ts';
import { Activity } from './activity.ts';
import type { ItemKey } from './item-key.ts';
import { NoticeLists } from './notice-lists.ts';
import { ReadNotices } from './read-notices.ts';
import { SEEN_ITEMS_DEFAULTS, SeenItems, type SeenItemsOptions } from './seen-items.ts';
import { RETENTION_DEFAULTS, type Retention, Visits } from './visits.ts';

/** How calculated data is kept; every part has its default. */
export interface CalculatedDataOptions {
  readonly seen?: SeenItemsOptions;
  readonly retention?: Retention;
}

/** All that is calculated about the sessions of one namespace: the structures, built over one connection. */
export class CalculatedData {
  readonly visits: Visits;
  readonly seenItems: SeenItems;
  readonly activity: Activity;
  readonly noticeLists: NoticeLists;
  readonly readNotices: ReadNotices;
  readonly itemKey: ItemKey;
  readonly retention: Retention;

  constructor(redis: RedisConnection, keys: Keys, itemKey: ItemKey, clock: Clock, options: CalculatedDataOptions = {}) {
    const { seen = SEEN_ITEMS_DEFAULTS, retention = RETENTION_DEFAULTS } = options;
    this.itemKey = itemKey;
    this.retention = retention;
    this.visits = new Visits(redis, keys, clock, seen, retention);
    this.seenItems = new SeenItems(redis, keys, seen);
    this.activity = new Activity(redis, keys);
    this.noticeLists = new NoticeLists(redis, keys, itemKey);
    this.readNotices = new ReadNotices(redis, keys, itemKey);
  }
}
