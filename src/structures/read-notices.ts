import type { Keys, RedisConnection, Step } from '../redis/index.ts';
import { makeStep, runStep, Script } from '../redis/index.ts';
import type { ItemKey } from './item-key.ts';
import { NOTICE_CAP, type NoticePlace } from './notice-lists.ts';

/* read-notices.ts: group notifications, the session's side. Exact, because a false "seen" would hide a notice.
 *
 * Notices of a list that the store keeps: per group a ring of 1,000 bits, the size of the list, and `top`, the highest
 * sequence number that the ring has met. Number n stands at bit n mod 1,000 and counts while top - 1,000 < n <= top;
 * whatever is above top is unread, and moving top clears the bits that it passes. So a bit never speaks for two notices.
 *   Ring: bytes 0-7 top (big-endian double: exact to 2^53), then the bits, trailing zero bytes left out.
 * Ids whose list somebody else keeps: the last 1,024 marked, in a sorted set; beyond that the oldest is forgotten and
 * becomes unread again, which shows too much and never too little. */

/** The most foreign ids that a session remembers. */
export const FOREIGN_NOTICE_CAP = 1024;

/* Input: KEYS rings, foreign notices; ARGV retention in seconds, n, n pairs of group key and sequence, foreign keys. */
const markRead = new Script<number>(`
local CAP = ${NOTICE_CAP}
local n = tonumber(ARGV[2])
for i = 3, 2 + 2 * n, 2 do
  local field, sequence = ARGV[i], tonumber(ARGV[i + 1])
  local ring = redis.call('HGET', KEYS[1], field)
  local top, bytes = sequence, {}
  if ring then
    top = struct.unpack('>d', ring)
    bytes = { string.byte(ring, 9, -1) }
  end
  if sequence - top >= CAP then
    top, bytes = sequence, {}
  end
  while top < sequence do
    top = top + 1
    local at = top % CAP
    local index = math.floor(at / 8) + 1
    if bytes[index] then bytes[index] = bit.band(bytes[index], bit.bnot(bit.rshift(128, at % 8))) end
  end
  if sequence > top - CAP then
    local at = sequence % CAP
    local index = math.floor(at / 8) + 1
    for j = #bytes + 1, index do bytes[j] = 0 end
    bytes[index] = bit.bor(bytes[index], bit.rshift(128, at % 8))
    redis.call('HSET', KEYS[1], field, struct.pack('>d', top) .. string.char(unpack(bytes)))
  end
end
if n > 0 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
local first = 3 + 2 * n
if first <= #ARGV then
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  for i = first, #ARGV do redis.call('ZADD', KEYS[2], 'NX', string.format('%d', now + i), ARGV[i]) end
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -${FOREIGN_NOTICE_CAP + 1})
  redis.call('EXPIRE', KEYS[2], ARGV[1])
end
return 1`);

/** Which notices a session has read. */
export class ReadNotices {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #itemKey: ItemKey;

  constructor(redis: RedisConnection, keys: Keys, itemKey: ItemKey) {
    this.#redis = redis;
    this.#keys = keys;
    this.#itemKey = itemKey;
  }

  /** Marks as read, in one atomic step: notices of kept lists by their places, foreign ones by their ids. */
  async mark(
    session: string,
    places: readonly NoticePlace[],
    foreignIds: readonly string[],
    retentionSeconds: number,
  ): Promise<void> {
    if (places.length === 0 && foreignIds.length === 0) return;
    await runStep(this.#redis, this.marking(session, places, foreignIds, retentionSeconds));
  }

  /** The step that `mark` does. At least one place or id. */
  marking(
    session: string,
    places: readonly NoticePlace[],
    foreignIds: readonly string[],
    retentionSeconds: number,
  ): Step<void> {
    return makeStep(
      markRead,
      [this.#keys.noticeRings(session), this.#keys.foreignNotices(session)],
      [
        retentionSeconds,
        places.length,
        ...places.flatMap(({ group, sequence }) => [this.#itemKey.of('group', group), sequence]),
        ...this.#itemKey.ofAll('notice', foreignIds),
      ],
      () => undefined,
    );
  }

  /** Per place, whether it was read. */
  async hasPlaces(session: string, places: readonly NoticePlace[]): Promise<boolean[]> {
    if (places.length === 0) return [];
    const groups = [...new Set(places.map(({ group }) => group))];
    const fields = this.#itemKey.ofAll('group', groups);
    const rings = await this.#redis.commandForBuffers<(Buffer | null)[]>(
      'HMGET',
      this.#keys.noticeRings(session),
      ...fields,
    );
    return places.map(({ group, sequence }) => isRead(rings[groups.indexOf(group)] ?? undefined, sequence));
  }

  /** Per foreign id, whether it was read (and not forgotten since). */
  async hasForeign(session: string, ids: readonly string[]): Promise<boolean[]> {
    if (ids.length === 0) return [];
    const scores = await this.#redis.command<(number | null)[]>(
      'ZMSCORE',
      this.#keys.foreignNotices(session),
      ...this.#itemKey.ofAll('notice', ids),
    );
    return scores.map((score) => score !== null);
  }

  /** How many notices of kept lists were read, of those that a ring still speaks of. */
  async countRead(session: string): Promise<number> {
    const rings = await this.#redis.commandForBuffers<Buffer[]>('HVALS', this.#keys.noticeRings(session));
    return rings.reduce((sum, ring) => sum + countBits(ring.subarray(8)), 0);
  }
}

function countBits(bytes: Buffer): number {
  let count = 0;
  for (let byte of bytes) for (; byte !== 0; byte &= byte - 1) count += 1;
  return count;
}

function isRead(ring: Buffer | undefined, sequence: number): boolean {
  if (!ring) return false;
  const top = ring.readDoubleBE(0);
  const at = sequence % NOTICE_CAP;
  const byte = ring[8 + (at >> 3)] ?? 0;
  return sequence <= top && sequence > top - NOTICE_CAP && (byte & (128 >> (at & 7))) !== 0;
}
