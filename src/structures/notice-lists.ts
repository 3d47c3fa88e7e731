import type { Keys, RedisConnection } from '../redis/index.ts';
import { Script } from '../redis/index.ts';
import type { ItemKey } from './item-key.ts';

/* notice-lists.ts: group notifications, the group's side.
 *
 * One capped list per group: publishing is one write, whatever the size of the audience. Each entry has a sequence
 * number in its group; the sessions' read state (read-notices.ts) speaks of those numbers only. A group's numbers begin
 * at the clock's microseconds, so that a group that was deleted and made anew never uses a number twice.
 * Beside the lists stands an index from a notice's id to where it is, because "mark n1 as seen" names no group. */

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
export interface NoticePlace {
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

/* Input: KEYS list, index; ARGV notice key, notice as JSON without its time, cap.
   Output: sequence, 1 where it is new, then the notice keys that fell off the end.
   An entry is "<sequence> <time> <notice key> <JSON>". An id that the list holds already is not added again. */
const publishNotice = new Script<[number, number, ...string[]]>(`
local known = redis.call('HGET', KEYS[2], 'i' .. ARGV[1])
if known then return { tonumber(known), 0 } end
local time = redis.call('TIME')
local now = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSETNX', KEYS[2], 'seq', string.format('%d', time[1] * 1000000 + time[2]))
local sequence = string.format('%d', redis.call('HINCRBY', KEYS[2], 'seq', 1))
redis.call('LPUSH', KEYS[1], sequence .. ' ' .. now .. ' ' .. ARGV[1] .. ' ' .. ARGV[2])
redis.call('HSET', KEYS[2], 'i' .. ARGV[1], sequence)
local answer = { tonumber(sequence), 1 }
while redis.call('LLEN', KEYS[1]) > tonumber(ARGV[3]) do
  local key = string.match(redis.call('RPOP', KEYS[1]), '^%d+ %d+ (%d+) ')
  redis.call('HDEL', KEYS[2], 'i' .. key)
  answer[#answer + 1] = key
end
return answer`);

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
   *  group again changes nothing and says so (`isNew`), so a retry is safe; it also mends an index whose write failed.
   *  The same id in several groups is one notice: read in one, it is read in all.
   *  @throws RangeError */
  async publish(group: string, notice: Omit<Notice, 'at'>): Promise<NoticePlace & { isNew: boolean }> {
    checkGroup(group);
    const noticeKey = this.#itemKey.of('notice', notice.id);
    const keys = [this.#keys.groupList(group), this.#keys.groupIndex(group)];
    const args = [noticeKey, JSON.stringify(notice), NOTICE_CAP];
    const [sequence, isNew, ...dropped] = await publishNotice.run(this.#redis, keys, args);
    await Promise.all([
      this.#redis.command('HSET', this.#keys.noticeIndex(noticeKey), group, String(sequence)),
      ...dropped.map((key) => this.#redis.command('HDEL', this.#keys.noticeIndex(key), group)),
    ]);
    return { group, sequence, isNew: isNew === 1 };
  }

  /** The newest notices of a group, the newest first; none for a group that nobody published to.
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

  /** Where each id is; an empty list for an id that no list holds. */
  async locate(ids: readonly string[]): Promise<NoticePlace[][]> {
    const found = await Promise.all(
      ids.map((id) =>
        this.#redis.command<Record<string, string>>('HGETALL', this.#keys.noticeIndex(this.#itemKey.of('notice', id))),
      ),
    );
    return found.map((places) =>
      Object.entries(places).map(([group, sequence]) => ({ group, sequence: Number(sequence) })),
    );
  }
}
