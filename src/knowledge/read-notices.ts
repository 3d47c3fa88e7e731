import { readSubjectHeader, SUBJECT_FLAGS } from '../redis/index.ts';
import { ITEM_LENGTH } from './item-encryption.ts';
import type { ItemHash, ItemHasher } from './item-hash.ts';
import { NOTICE_CAP, type NoticePosition } from './notice-lists.ts';
import { RING_NUMBERS } from './scripts/notices-lua.ts';
import type { ReadingContext, SubjectReading } from './subject-reading.ts';

/* read-notices.ts: group notifications, the subject's side. Exact, because a false "seen" would hide a notice.
 *
 * Notices of a list that the store keeps: per group a ring of 1,000 bits, the size of the list, and `top`, the highest
 * sequence number that the ring has met. Number n stands at bit n mod 1,000 and counts while top - 1,000 < n <= top;
 * numbers above top are unread, and moving top clears the bits that it passes. So a bit never stands for two notices.
 *   Ring: bytes 0-7 top (big-endian double: exact to 2^53), then the bits, trailing zero bytes left out.
 * Ids of lists that the application keeps ("foreign"): the last 1,024 marked, in a sorted set; beyond that the oldest is
 * forgotten and becomes unread again, which shows too much and never too little.
 * Groups and foreign ids are encrypted for the subject. A group's numbers begin at the microsecond of its making, so they
 * would name it: to each is added an offset that only the service can compute, another one for each subject and group, and
 * of the sum the last 52 bits count. So a ring's numbers may be anywhere, whenever its group was made. */

/** Notices that were read. */
export interface MarkedNotices {
  readonly positions: readonly NoticePosition[];
  /** The hashes of ids. */
  readonly foreign: readonly ItemHash[];
}

const NO_NOTICES: MarkedNotices = { positions: [], foreign: [] };

/** Which notices a subject has read. */
export class ReadNotices {
  readonly #context: ReadingContext;
  readonly #items: ItemHasher;

  constructor(context: ReadingContext, items: ItemHasher) {
    this.#context = context;
    this.#items = items;
  }

  /** The arguments with which a script marks notices of a subject as read: pairs of a ring and a number, then foreign ones. */
  async argumentsOf(subject: string, { positions, foreign }: MarkedNotices): Promise<(string | number)[]> {
    const [rings, ids] = await Promise.all([
      this.#ringsOf(
        subject,
        positions.map(({ group }) => group),
      ),
      this.#context.encryption.encrypt(subject, foreign),
    ]);
    const pairs = positions.flatMap(({ sequence }, i) => [rings[i]!.field, numberIn(rings[i]!.offset, sequence)]);
    return [...pairs, ...ids];
  }

  /** Reads all notices that a subject has read, as far as its rings still cover them. `record`: the subject's record. */
  async exportOf(subject: string, record: Buffer | null): Promise<MarkedNotices> {
    if (!record || record.length === 0) return NO_NOTICES;
    if ((readSubjectHeader(record).flags & SUBJECT_FLAGS.readNotices) === 0) return NO_NOTICES;
    const { redis, keys, encryption } = this.#context;
    const [found, ids] = await Promise.all([
      redis.commandForBuffers<Record<string, Buffer> | Map<Buffer, Buffer>>('HGETALL', keys.noticeRings(subject)),
      redis.command<string[]>('ZRANGE', keys.foreignNotices(subject), '0', '-1'),
    ]);
    const rings = found instanceof Map ? [...found.entries()] : Object.entries(found);
    const fields = rings.map(([field]) => String(field));
    const [groups, foreign] = await Promise.all([
      encryption.decrypt(subject, Buffer.from(fields.join(''), 'latin1')),
      encryption.decrypt(subject, Buffer.from(ids.join(''), 'latin1')),
    ]);
    const offsets = await this.#ringsOf(subject, groups);
    const positions = rings.flatMap(([, ring], i) =>
      numbersOf(ring).map((number) => ({ group: groups[i]!, sequence: sequenceOf(offsets[i]!.offset, number) })),
    );
    return { positions, foreign };
  }

  /** Reads what was read of groups. Returns the function that says of a position in one of them whether it was. */
  async readOf(reading: SubjectReading, groups: readonly ItemHash[]): Promise<(position: NoticePosition) => boolean> {
    if (groups.length === 0 || !(await reading.hasReadNotices())) return () => false;
    const { subject } = reading;
    const rings = await this.#ringsOf(subject, groups);
    const key = this.#context.keys.noticeRings(subject);
    const fields = rings.map(({ field }) => field);
    const found = await this.#context.redis.commandForBuffers<(Buffer | null)[]>('HMGET', key, ...fields);
    return ({ group, sequence }) => {
      const i = groups.indexOf(group);
      return isRead(found[i] ?? undefined, numberIn(rings[i]?.offset ?? 0, sequence));
    };
  }

  /** The field of each group's ring, and the offset of its numbers. */
  async #ringsOf(
    subject: string,
    groups: readonly ItemHash[],
  ): Promise<{ readonly field: string; readonly offset: number }[]> {
    // A hash that stands for no group: the second half of a pair.
    const hashes = groups.flatMap((group) => [group, OFFSETS - group]);
    const encrypted = await this.#context.encryption.encrypt(subject, hashes);
    return groups.map((_, i) => ({ field: encrypted[2 * i]!, offset: offsetOf(encrypted[2 * i + 1]!) }));
  }

  /** Per foreign id, whether it was read (and not forgotten since). */
  async hasForeign(reading: SubjectReading, ids: readonly string[]): Promise<boolean[]> {
    if (ids.length === 0 || !(await reading.hasReadNotices())) return ids.map(() => false);
    const { subject } = reading;
    const scores = await this.#context.redis.command<(number | null)[]>(
      'ZMSCORE',
      this.#context.keys.foreignNotices(subject),
      ...(await this.#context.encryption.encrypt(subject, this.#items.ofAll('notice', ids))),
    );
    return scores.map((score) => score !== null);
  }

  /** Counts the read notices of stored lists, as far as the rings still cover them. */
  async countRead(subject: string): Promise<number> {
    const rings = await this.#context.redis.commandForBuffers<Buffer[]>(
      'HVALS',
      this.#context.keys.noticeRings(subject),
    );
    return rings.reduce((sum, ring) => sum + countBits(ring.subarray(8)), 0);
  }
}

// Hashes end below it.
const OFFSETS = 2 ** 53 - 1;

/** The first 52 of 56 bits: the sum with a number that begins at a microsecond of this century stays exact. */
function offsetOf(encrypted: string): number {
  let offset = 0;
  for (let i = 0; i < ITEM_LENGTH - 1; i += 1) offset = offset * 128 + encrypted.charCodeAt(i);
  return offset * 8 + (encrypted.charCodeAt(ITEM_LENGTH - 1) >> 4);
}

/** The number of a notice in a ring. */
function numberIn(offset: number, sequence: number): number {
  return (sequence + offset) % RING_NUMBERS;
}

/** The number in its group of a notice in a ring. */
function sequenceOf(offset: number, number: number): number {
  return (number - offset + RING_NUMBERS) % RING_NUMBERS;
}

/** The numbers of all notices that stand in a ring, ascending. */
function numbersOf(ring: Buffer): number[] {
  const top = ring.readDoubleBE(0);
  const numbers: number[] = [];
  for (let number = Math.max(0, top - NOTICE_CAP + 1); number <= top; number += 1) {
    if (isRead(ring, number)) numbers.push(number);
  }
  return numbers;
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
