import { isPerson } from '../protocol/index.ts';
import {
  type Keys,
  type RedisConnection,
  readSubjectHeader,
  type SeenKind,
  SUBJECT_FLAGS,
  SUBJECT_HEADER_BYTES,
  SUBJECT_TOMBSTONE,
  type SubjectHeader,
  WINDOW_MINUTES,
} from '../redis/index.ts';
import { type Fact, readFacts } from './facts/fact-section.ts';
import { decryptFacts } from './facts/named-facts.ts';
import { ITEM_LENGTH, type ItemEncryption } from './item-encryption.ts';
import type { ItemHash } from './item-hash.ts';
import type { PendingWrites } from './pending-writes.ts';
import { besideHas, countBeside } from './people/beside-filters.ts';
import type { RecordReads } from './record-reads.ts';
import { MINUTE_SIZE } from './scripts/minutes-lua.ts';
import type { SeenFilter } from './seen-filter.ts';
import { MINUTE_MS, MINUTES_PER_DAY } from './utc-days.ts';
import type { SeenCount, VisitSummary } from './visit.ts';

/* subject-reading.ts: what is known of a subject at one moment. All questions of a page are answered from one read of the
 * record; parts that have outgrown it are asked only where its flags name them.
 *
 * Items stand encrypted in the record. Either the asked items are encrypted, or those of the record are decrypted, the
 * fewer of the two; decrypted ones serve all later questions of the page. */

/** Parts that a reading needs. */
export interface ReadingContext {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly records: RecordReads;
  readonly encryption: ItemEncryption;
  readonly filter: SeenFilter;
  readonly writes: PendingWrites;
}

interface Small {
  readonly header: SubjectHeader;
  readonly record: Buffer;
}

/** What is known of one subject, read once when the first question is asked. */
export class SubjectReading {
  /** The name of its keys. */
  readonly subject: string;
  /** The session or person, as it stands on the wire. */
  readonly name: string;
  readonly #context: ReadingContext;
  #read: Promise<Small | undefined> | undefined;
  #facts: Promise<ReadonlyMap<ItemHash, Fact>> | undefined;
  readonly #decrypted: Partial<Record<SeenKind, Promise<ReadonlySet<ItemHash>>>> = {};

  constructor(subject: string, context: ReadingContext, name: string = subject) {
    this.subject = subject;
    this.name = name;
    this.#context = context;
  }

  /** Whether there is a record. */
  async isKnown(): Promise<boolean> {
    return (await this.#small()) !== undefined;
  }

  /** Whether anything was done with notices, or there are notices to it alone. */
  async hasNotices(): Promise<boolean> {
    const small = await this.#small();
    return small !== undefined && (small.header.flags & SUBJECT_FLAGS.notices) !== 0;
  }

  /** Per item, whether it was seen as one of this kind. */
  async hasSeen(kind: SeenKind, items: readonly ItemHash[]): Promise<boolean[]> {
    if (items.length === 0) return [];
    const small = await this.#small();
    if (!small) return items.map(() => false);
    const own = this.#hasOwn(small, kind, items);
    if (!this.#isBeside(small)) return own;
    const [seen, beside] = await Promise.all([own, besideHas(this.#context, this.subject, kind, items)]);
    return seen.map((each, i) => each || beside[i]!);
  }

  /** Which of these items were seen as one of this kind. Where the record holds fewer items, those are looked at. */
  async seenOf(kind: SeenKind, items: ReadonlyMap<ItemHash, unknown>): Promise<ItemHash[]> {
    const small = await this.#small();
    if (!small || items.size === 0) return [];
    const section = sectionOf(small, kind);
    if (isLarge(small.header, kind) || this.#isBeside(small) || section.length > items.size * ITEM_LENGTH) {
      const asked = [...items.keys()];
      const seen = await this.hasSeen(kind, asked);
      return asked.filter((_, i) => seen[i]);
    }
    return [...(await this.#decryptedOf(kind, section))].filter((item) => items.has(item));
  }

  // Whether filters of sessions were merged into the person whole.
  #isBeside({ header }: Small): boolean {
    return isPerson(this.subject) && (header.flags & SUBJECT_FLAGS.beside) !== 0;
  }

  async #hasOwn(small: Small, kind: SeenKind, items: readonly ItemHash[]): Promise<boolean[]> {
    const { encryption, filter, keys } = this.#context;
    if (isLarge(small.header, kind)) {
      return filter.has(keys.seenFilter(this.subject, kind), await encryption.encrypt(this.subject, items));
    }
    const section = sectionOf(small, kind);
    if (this.#decrypted[kind] || section.length <= items.length * ITEM_LENGTH) {
      const seen = await this.#decryptedOf(kind, section);
      return items.map((item) => seen.has(item));
    }
    return (await encryption.encrypt(this.subject, items)).map((item) => holds(section, item));
  }

  /** Of items with numbers, the numbers of those that were seen as one of this kind. Undefined where filters have to be asked,
   *  for each item by itself: `hasSeen` does. */
  async seenAmong(kind: SeenKind, numbers: ReadonlyMap<ItemHash, number>): Promise<number[] | undefined> {
    const small = await this.#small();
    if (!small || numbers.size === 0) return [];
    if (isLarge(small.header, kind) || this.#isBeside(small)) return undefined;
    const section = sectionOf(small, kind);
    if (!this.#decrypted[kind] && section.length > numbers.size * ITEM_LENGTH) {
      const seen = await this.#hasOwn(small, kind, [...numbers.keys()]);
      return [...numbers.values()].filter((_, i) => seen[i]);
    }
    const found: number[] = [];
    for (const item of await this.#decryptedOf(kind, section)) {
      const number = numbers.get(item);
      if (number !== undefined) found.push(number);
    }
    return found;
  }

  /** The sums of all views. `firstView`: in seconds of the epoch; undefined where there was none. */
  async totals(): Promise<{
    readonly views: number;
    readonly activeMinutes: number;
    readonly firstView: number | undefined;
  }> {
    const { views = 0, activeMinutes = 0, firstView = 0 } = (await this.#small())?.header ?? {};
    return { views, activeMinutes, firstView: views === 0 ? undefined : firstView };
  }

  /** The visit as it is at `now`, in milliseconds of the epoch. An unknown subject has seen nothing. */
  async visit(now: number): Promise<VisitSummary> {
    const small = await this.#small();
    const { count, exact } = await this.count('page');
    const minutes = await this.minutes(now - 5 * MINUTE_MS, now);
    const { views = 0, activeMinutes = 0, firstView = 0 } = small?.header ?? {};
    return {
      totalPages: views,
      uniquePages: count,
      uniquePagesExact: exact,
      previouslyVisited: false,
      lastMinutes: minutes.slice(0, 5),
      thisMinute: minutes[5]!,
      activeMinutes,
      firstActiveMinute: views === 0 ? undefined : Math.floor(firstView / 60) * MINUTE_MS,
    };
  }

  /** How many different items of a kind were seen. */
  async count(kind: SeenKind): Promise<SeenCount> {
    const small = await this.#small();
    if (!small) return { count: 0, exact: true };
    const { redis, keys } = this.#context;
    const own = isLarge(small.header, kind)
      ? await redis.command<number>('PFCOUNT', keys.uniqueCount(this.subject, kind))
      : small.header[kind === 'page' ? 'pages' : 'items'];
    if (!this.#isBeside(small)) return { count: own, exact: !isLarge(small.header, kind) };
    return { count: own + (await countBeside(this.#context, this.subject, kind)), exact: false };
  }

  /** The last active minute, in milliseconds of the epoch: of a view, or of an `active`. */
  async lastActiveMinute(): Promise<number | undefined> {
    const small = await this.#small();
    return small && small.header.views > 0 ? Math.floor(small.header.lastView / 60) * MINUTE_MS : undefined;
  }

  /** What happened, by the hashes of events and clusters. */
  facts(): Promise<ReadonlyMap<ItemHash, Fact>> {
    this.#facts ??= this.#readFacts();
    return this.#facts;
  }

  async #readFacts(): Promise<ReadonlyMap<ItemHash, Fact>> {
    const small = await this.#small();
    if (!small || small.header.factsBytes === 0) return new Map();
    const from = SUBJECT_HEADER_BYTES;
    const facts = readFacts(small.record.subarray(from, from + small.header.factsBytes));
    return decryptFacts(this.#context.encryption, this.subject, facts);
  }

  /** The minutes from `from` to `to` (milliseconds of the epoch), both included: true where active. */
  async minutes(from: number, to: number): Promise<boolean[]> {
    const first = Math.floor(from / MINUTE_MS);
    const answers = Array.from({ length: Math.floor(to / MINUTE_MS) - first + 1 }, () => false);
    const small = await this.#small();
    if (!small || small.header.views === 0) return answers;
    const { window, lastView, minutes, flags, factsBytes } = small.header;
    const minutesFrom = SUBJECT_HEADER_BYTES + factsBytes;
    const set = (minute: number): void => {
      if (minute >= first && minute < first + answers.length) answers[minute - first] = true;
    };
    const top = Math.floor(lastView / 60);
    for (let back = 0, bits = window; bits > 0; back += 1, bits = Math.floor(bits / 2))
      if (bits % 2 === 1) set(top - back);
    for (let i = 0; i < minutes; i += 1) set(small.record.readUInt32BE(minutesFrom + MINUTE_SIZE * i));
    if ((flags & SUBJECT_FLAGS.largeMinutes) !== 0 && first <= top - WINDOW_MINUTES) {
      await this.#readDays(first, Math.min(first + answers.length - 1, top), set);
    }
    return answers;
  }

  async #readDays(first: number, last: number, set: (minute: number) => void): Promise<void> {
    const { redis, keys } = this.#context;
    const days: number[] = [];
    for (let day = Math.floor(first / MINUTES_PER_DAY); day * MINUTES_PER_DAY <= last; day += 1) days.push(day);
    const key = keys.days(this.subject);
    const bitmaps = await redis.commandForBuffers<(Buffer | null)[]>('HMGET', key, ...days.map(String));
    for (const [i, bitmap] of bitmaps.entries()) {
      for (let at = 0; at < 8 * (bitmap?.length ?? 0); at += 1) {
        if ((bitmap![at >> 3]! & (128 >> (at & 7))) !== 0) set(days[i]! * MINUTES_PER_DAY + at);
      }
    }
  }

  #small(): Promise<Small | undefined> {
    this.#read ??= this.#context.writes.settled(this.subject)?.then(() => this.#fetch()) ?? this.#fetch();
    return this.#read;
  }

  #fetch(): Promise<Small | undefined> {
    return this.#context.records
      .read(this.subject)
      .then((record) => (isAbsent(record) ? undefined : { record, header: readSubjectHeader(record) }));
  }

  #decryptedOf(kind: SeenKind, section: Buffer): Promise<ReadonlySet<ItemHash>> {
    this.#decrypted[kind] ??= this.#context.encryption.decrypt(this.subject, section).then((items) => new Set(items));
    return this.#decrypted[kind];
  }
}

function isAbsent(record: Buffer | null): record is null {
  return record === null || record.length === SUBJECT_TOMBSTONE.length;
}

function isLarge({ flags }: SubjectHeader, kind: SeenKind): boolean {
  return (flags & (kind === 'page' ? SUBJECT_FLAGS.largePages : SUBJECT_FLAGS.largeItems)) !== 0;
}

function sectionOf({ record, header: { minutes, items, factsBytes } }: Small, kind: SeenKind): Buffer {
  const itemsFrom = SUBJECT_HEADER_BYTES + factsBytes + MINUTE_SIZE * minutes;
  const pagesFrom = itemsFrom + ITEM_LENGTH * items;
  return kind === 'item' ? record.subarray(itemsFrom, pagesFrom) : record.subarray(pagesFrom);
}

// What is found may begin within one item and end within the next.
function holds(section: Buffer, item: string): boolean {
  let at = section.indexOf(item, 0, 'latin1');
  while (at >= 0 && at % ITEM_LENGTH !== 0) at = section.indexOf(item, at + 1, 'latin1');
  return at >= 0;
}
