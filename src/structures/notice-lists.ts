import type { Keys, RedisConnection } from '../redis/index.ts';
import type { ItemKey } from './item-key.ts';
import { publishNotice } from './scripts/publish-notice.ts';

/* notice-lists.ts: group notifications, the group's side.
 *
 * One capped list per group: publishing is one write for an audience of any size. Each entry has a sequence number in
 * its group; the sessions' read state (read-notices.ts) refers to notices by these numbers only. A group's numbers
 * begin at the clock's microseconds, so that a group that was deleted and made anew never uses a number twice. An index
 * finds the positions of a notice by its id, because "mark n1 as seen" names no group. */

/** The most notices of one group; the oldest is dropped. Sessions' rings have this size: it is part of the format. */
export const NOTICE_CAP = 1000;

/** A notice as the store keeps it. */
export interface Notice {
  readonly id: string;
  readonly text: string;
  /** When it was published, in milliseconds of the epoch, by Redis's clock. */
  readonly at: number;
  /** Anything else that the page needs (a link, a title); comes back as it is. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A notice in its group. */
export interface ListedNotice extends Notice {
  readonly group: string;
  readonly sequence: number;
}

/** Where a notice is. */
export interface NoticePosition {
  readonly group: string;
  readonly sequence: number;
}

const GROUP = /^[A-Za-z0-9_.:@-]{1,128}$/;

/** @throws RangeError that shows the value. */
export function checkGroup(group: unknown): string {
  if (typeof group === 'string' && GROUP.test(group)) return group;
  throw new RangeError(
    `The group ${String(JSON.stringify(group)).slice(0, 60)} cannot be used: give 1 to 128 of A-Z, a-z, 0-9 and _ . : @ -`,
  );
}

/** The lists of notices that the store keeps, one per group. */
export class NoticeLists {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #itemKey: ItemKey;

  constructor(redis: RedisConnection, keys: Keys, itemKey: ItemKey) {
    this.#redis = redis;
    this.#keys = keys;
    this.#itemKey = itemKey;
  }

  /** Publishes a notice to a group: one write for the list, one for the index. Publishing the same id to the same
   *  group again adds nothing (`isNew` is false), so a retry is safe; it also repairs an index whose write failed.
   *  The same id in several groups is one notice: read in one, it is read in all.
   *  @throws RangeError */
  async publish(group: string, notice: Omit<Notice, 'at'>): Promise<NoticePosition & { isNew: boolean }> {
    checkGroup(group);
    const noticeKey = this.#itemKey.of('notice', notice.id);
    const keys = { list: this.#keys.groupList(group), index: this.#keys.groupIndex(group) };
    const args = { noticeKey, notice: JSON.stringify(notice), cap: NOTICE_CAP };
    const { status, values } = await publishNotice.run(this.#redis, keys, args);
    const [sequence, ...dropped] = values;
    await Promise.all([
      this.#redis.command('HSET', this.#keys.noticeIndex(noticeKey), group, String(sequence)),
      ...dropped.map((key) => this.#redis.command('HDEL', this.#keys.noticeIndex(key), group)),
    ]);
    return { group, sequence, isNew: status === 'added' };
  }

  /** Reads the newest notices of a group, the newest first; none for an unknown group.
   *  @throws RangeError */
  async read(group: string, limit: number): Promise<ListedNotice[]> {
    const entries = await this.#redis.command<string[]>(
      'LRANGE',
      this.#keys.groupList(checkGroup(group)),
      '0',
      String(limit - 1),
    );
    return entries.map((entry) => {
      const [, sequence, at, json] = /^(\d+) (\d+) \d+ (.*)$/s.exec(entry)!;
      return { ...(JSON.parse(json!) as Notice), at: Number(at), group, sequence: Number(sequence) };
    });
  }

  /** Finds the positions of each id; an empty list for an id that no list holds. */
  async locate(ids: readonly string[]): Promise<NoticePosition[][]> {
    const found = await Promise.all(
      ids.map((id) =>
        this.#redis.command<Record<string, string>>('HGETALL', this.#keys.noticeIndex(this.#itemKey.of('notice', id))),
      ),
    );
    return found.map((positions) =>
      Object.entries(positions).map(([group, sequence]) => ({ group, sequence: Number(sequence) })),
    );
  }
}
