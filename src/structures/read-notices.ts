import type { Keys, RedisConnection, Step } from '../redis/index.ts';
import { runStep } from '../redis/index.ts';
import type { ItemKey } from './item-key.ts';
import { NOTICE_CAP, type NoticePosition } from './notice-lists.ts';
import { markNoticesRead } from './scripts/mark-notices-read.ts';

/* read-notices.ts: group notifications, the session's side. Exact, because a false "seen" would hide a notice.
 *
 * Notices of a list that the store keeps: per group a ring of 1,000 bits, the size of the list, and `top`, the highest
 * sequence number that the ring has met. Number n stands at bit n mod 1,000 and counts while top - 1,000 < n <= top;
 * numbers above top are unread, and moving top clears the bits that it passes. So a bit never stands for two notices.
 *   Ring: bytes 0-7 top (big-endian double: exact to 2^53), then the bits, trailing zero bytes left out.
 * Ids of lists that the application keeps ("foreign"): the last 1,024 marked, in a sorted set; beyond that the oldest is forgotten and
 * becomes unread again, which shows too much and never too little. */

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

  /** Marks as read, in one atomic step: notices of stored lists by their positions, foreign ones by their ids. */
  async mark(
    session: string,
    positions: readonly NoticePosition[],
    foreignIds: readonly string[],
    retentionSeconds: number,
  ): Promise<void> {
    if (positions.length === 0 && foreignIds.length === 0) return;
    await runStep(this.#redis, this.marking(session, positions, foreignIds, retentionSeconds));
  }

  /** Prepares the step of `mark`, for at least one position or id. */
  marking(
    session: string,
    positions: readonly NoticePosition[],
    foreignIds: readonly string[],
    retentionSeconds: number,
  ): Step<void> {
    const keys = { rings: this.#keys.noticeRings(session), foreign: this.#keys.foreignNotices(session) };
    const args = { retentionSeconds, positions: positions.length };
    return markNoticesRead.step(keys, args, () => undefined, {
      args: [
        ...positions.flatMap(({ group, sequence }) => [this.#itemKey.of('group', group), sequence]),
        ...this.#itemKey.ofAll('notice', foreignIds),
      ],
    });
  }

  /** Whether the notices at these positions were read. */
  async areRead(session: string, positions: readonly NoticePosition[]): Promise<boolean[]> {
    if (positions.length === 0) return [];
    const groups = [...new Set(positions.map(({ group }) => group))];
    const fields = this.#itemKey.ofAll('group', groups);
    const rings = await this.#redis.commandForBuffers<(Buffer | null)[]>(
      'HMGET',
      this.#keys.noticeRings(session),
      ...fields,
    );
    return positions.map(({ group, sequence }) => isRead(rings[groups.indexOf(group)] ?? undefined, sequence));
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

  /** Counts the read notices of stored lists, as far as the rings still cover them. */
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
