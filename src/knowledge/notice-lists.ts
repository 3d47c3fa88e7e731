import { atEndOfTurn } from '../async/index.ts';
import type { Keys, RedisConnection } from '../redis/index.ts';
import type { ItemHash, ItemHasher } from './item-hash.ts';
import { isNewer } from './newest-notices.ts';
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
  readonly position: NoticePosition;
  /** Whether another list held the notice before: it may have been read there. */
  readonly isElsewhere: boolean;
}

/** Where a notice is. */
export interface NoticePosition {
  /** The hash of the group's name: lists are named by it, so that no key shows a name. */
  readonly group: ItemHash;
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

/** A notice as it stands in a list: without the time, which stands before it. */
interface StoredNotice extends Omit<Notice, 'at'> {
  /** Whether another list held it before. */
  readonly elsewhere?: true;
}

/** The newest notices of a group, as they were read. */
interface ReadList {
  /** The group's last number then: as long as it is the last, nothing was published. */
  readonly last: string;
  readonly notices: readonly ListedNotice[];
  readonly isWhole: boolean;
}

// Of all lists that are kept together, in characters of JSON.
const KEPT_CHARACTERS = 8_000_000;

/** The lists of notices that the store keeps, one per group. A list is parsed once and kept until something is published
 *  to its group. */
export class NoticeLists {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #items: ItemHasher;
  readonly #lists = new Map<string, ReadList>();
  readonly #asking = new Map<ItemHash, Promise<string | null>>();
  readonly #reading = new Map<string, Promise<ReadList>>();
  #keptCharacters = 0;
  #followsLosses = false;

  constructor(redis: RedisConnection, keys: Keys, items: ItemHasher) {
    this.#redis = redis;
    this.#keys = keys;
    this.#items = items;
  }

  /** Publishes a notice to a group: one write for the list, one for the index. Publishing the same id to the same
   *  group again adds nothing (`isNew` is false), so a retry is safe; it also repairs an index whose write failed.
   *  The same id in several groups is one notice: read in one, it is read in all.
   *  @throws RangeError */
  async publish(
    group: string,
    notice: Omit<Notice, 'at'>,
  ): Promise<{ readonly group: string; readonly sequence: number; readonly isNew: boolean }> {
    const hash = this.#items.of('group', checkGroup(group));
    const noticeHash = this.#items.of('notice', notice.id);
    const keys = { list: this.#keys.groupList(hash), index: this.#keys.groupIndex(hash) };
    const isElsewhere = (await this.#redis.command<number>('HLEN', this.#keys.noticeIndex(noticeHash))) > 0;
    const stored: StoredNotice = { ...notice, ...(isElsewhere && { elsewhere: true }) };
    const args = { noticeKey: String(noticeHash), notice: JSON.stringify(stored), cap: NOTICE_CAP };
    const { status, values } = await publishNotice.run(this.#redis, keys, args);
    const [sequence, ...dropped] = values;
    await Promise.all([
      this.#redis.command('HSET', this.#keys.noticeIndex(noticeHash), String(hash), String(sequence)),
      ...dropped.map((key) => this.#redis.command('HDEL', this.#keys.noticeIndex(Number(key)), String(hash))),
    ]);
    return { group, sequence, isNew: status === 'added' };
  }

  /** Reads the newest notices of a group, the newest first; none for an unknown group.
   *  @throws RangeError */
  async read(group: string, limit: number): Promise<readonly ListedNotice[]> {
    const hash = this.#items.of('group', checkGroup(group));
    const last = await this.#lastOf(hash);
    if (last === null) return [];
    const kept = this.#lists.get(group);
    const list = kept?.last === last && (kept.isWhole || kept.notices.length >= limit) ? kept : undefined;
    const { notices } = list ?? (await this.#readOnce(group, hash, last, limit));
    return notices.length > limit ? notices.slice(0, limit) : notices;
  }

  /** Finds the positions of each id; an empty list for an id that no list holds. */
  async locate(ids: readonly string[]): Promise<NoticePosition[][]> {
    const found = await Promise.all(
      ids.map((id) =>
        this.#redis.command<Record<string, string>>('HGETALL', this.#keys.noticeIndex(this.#items.of('notice', id))),
      ),
    );
    return found.map((positions) =>
      Object.entries(positions).map(([group, sequence]) => ({ group: Number(group), sequence: Number(sequence) })),
    );
  }

  // The last number that was published; one question for all that ask in the same turn.
  #lastOf(hash: ItemHash): Promise<string | null> {
    let last = this.#asking.get(hash);
    if (!last) {
      last = this.#redis.command<string | null>('HGET', this.#keys.groupIndex(hash), 'seq');
      this.#asking.set(hash, last);
      if (this.#asking.size === 1) atEndOfTurn(() => this.#asking.clear());
    }
    return last;
  }

  // All that ask for it meanwhile share one reading.
  #readOnce(group: string, hash: ItemHash, last: string, limit: number): Promise<ReadList> {
    const name = `${last} ${limit} ${group}`;
    let reading = this.#reading.get(name);
    if (!reading) {
      reading = this.#readList(group, hash, last, limit).finally(() => this.#reading.delete(name));
      this.#reading.set(name, reading);
    }
    return reading;
  }

  // What is published between both reads is in the list, and `last` is older then: the next question reads again.
  async #readList(group: string, hash: ItemHash, last: string, limit: number): Promise<ReadList> {
    if (!this.#followsLosses) {
      this.#followsLosses = true;
      // A Redis that comes back without its last second may give a number twice.
      this.#redis.on('lost', () => this.#lists.clear());
    }
    const key = this.#keys.groupList(hash);
    const entries = await this.#redis.command<string[]>('LRANGE', key, '0', String(limit - 1));
    const notices = entries.map((entry): ListedNotice => {
      const [, sequence, at, json] = /^(\d+) (\d+) \d+ (.*)$/s.exec(entry)!;
      const position = { group: hash, sequence: Number(sequence) };
      const { elsewhere, ...notice } = JSON.parse(json!) as StoredNotice;
      return { ...notice, at: Number(at), group, position, isElsewhere: elsewhere === true };
    });
    // Redis's clock may have been set back.
    if (notices.some((notice, i) => i > 0 && isNewer(notice, notices[i - 1]!))) {
      notices.sort((a, b) => (isNewer(a, b) ? -1 : 1));
    }
    const list = { last, notices, isWhole: entries.length < limit };
    this.#keptCharacters += entries.reduce((sum, { length }) => sum + length, 0);
    if (this.#keptCharacters > KEPT_CHARACTERS) {
      this.#lists.clear();
      this.#keptCharacters = 0;
    }
    this.#lists.set(group, list);
    return list;
  }
}
