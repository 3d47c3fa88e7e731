import { FACTS_LENGTH_BYTES } from '../../redis/index.ts';
import { ITEM_LENGTH } from '../item-encryption.ts';

/* fact-section.ts: facts as they stand in a subject's record. A fact is how often something happened: an event, or a view of
 * a page of a cluster.
 *
 * The section, big-endian: its length in bytes (2), then per fact its name, encrypted for the subject (8), the count (4),
 * first and last time in seconds of the epoch (4 each), how many days, and by the highest bit whether the fact is dropped
 * behind all others (1), and per day its number of the epoch (2) and the
 * count of this day (2), ascending. Days that are older than the last one by FACT_DAYS or more are dropped. */

/** The most facts of a subject. Above it the one that happened longest ago is dropped; those that are kept go last. */
export const MOST_FACTS = 100;
/** Of so many days, the last one among them, counts are known day by day. */
export const FACT_DAYS = 35;
/** Bytes of a fact without its days. */
export const FACT_BYTES = 21;
/** Bytes of a day. */
export const FACT_DAY_BYTES = 4;
/** The bit of the number of days that says that the fact is kept. */
export const KEPT_BIT = 128;
const MOST_COUNT = 2 ** 32 - 1;
/** The most that is counted of a day. */
export const MOST_OF_DAY: number = 2 ** 16 - 1;
export const SECONDS_PER_DAY = 86_400;

/** How often something happened. Times are seconds of the epoch. */
export interface Fact {
  readonly count: number;
  readonly first: number;
  readonly last: number;
  /** Counts of days (UTC, numbered from the epoch), ascending. */
  readonly days: readonly (readonly [day: number, count: number])[];
  /** Whether it is dropped behind all others. */
  readonly kept: boolean;
}

/** A fact with its name as it stands in the record. */
export interface StoredFact extends Fact {
  /** 8 bytes. */
  readonly key: Buffer;
}

/** Reads a section of facts, its length included; an empty one has none. */
export function readFacts(section: Buffer): StoredFact[] {
  const facts: StoredFact[] = [];
  for (let at = FACTS_LENGTH_BYTES; at < section.length; ) {
    const days: [number, number][] = [];
    const counted = section[at + 20]!;
    const end = at + FACT_BYTES + FACT_DAY_BYTES * (counted % KEPT_BIT);
    for (let day = at + FACT_BYTES; day < end; day += FACT_DAY_BYTES) {
      days.push([section.readUInt16BE(day), section.readUInt16BE(day + 2)]);
    }
    facts.push({
      key: section.subarray(at, at + ITEM_LENGTH),
      count: section.readUInt32BE(at + 8),
      first: section.readUInt32BE(at + 12),
      last: section.readUInt32BE(at + 16),
      days,
      kept: counted >= KEPT_BIT,
    });
    at = end;
  }
  return facts;
}

/** Writes a section of facts; an empty one where there are none. Of too many those that happened last are kept. */
export function writeFacts(facts: readonly StoredFact[]): Buffer {
  if (facts.length === 0) return Buffer.alloc(0);
  const byAge = [...facts].sort((one, other) => Number(other.kept) - Number(one.kept) || other.last - one.last);
  const parts = byAge.slice(0, MOST_FACTS).map(({ key, count, first, last, days, kept }) => {
    const part = Buffer.alloc(FACT_BYTES + FACT_DAY_BYTES * days.length);
    key.copy(part);
    part.writeUInt32BE(Math.min(count, MOST_COUNT), 8);
    part.writeUInt32BE(first, 12);
    part.writeUInt32BE(last, 16);
    part[20] = days.length + (kept ? KEPT_BIT : 0);
    for (const [i, [day, ofDay]] of days.entries()) {
      part.writeUInt16BE(day, FACT_BYTES + FACT_DAY_BYTES * i);
      part.writeUInt16BE(Math.min(ofDay, MOST_OF_DAY), FACT_BYTES + FACT_DAY_BYTES * i + 2);
    }
    return part;
  });
  const length = Buffer.alloc(FACTS_LENGTH_BYTES);
  length.writeUInt16BE(FACTS_LENGTH_BYTES + parts.reduce((sum, part) => sum + part.length, 0));
  return Buffer.concat([length, ...parts]);
}

/** Adds what happened elsewhere to a fact; `undefined`: to none. */
export function addFact(known: Fact | undefined, more: Fact): Fact {
  if (!known) return more;
  const days = new Map(known.days);
  for (const [day, count] of more.days) days.set(day, (days.get(day) ?? 0) + count);
  const last = Math.max(known.last, more.last);
  const oldest = Math.floor(last / SECONDS_PER_DAY) - FACT_DAYS;
  return {
    count: known.count + more.count,
    first: Math.min(known.first, more.first),
    last,
    kept: known.kept || more.kept,
    days: [...days].filter(([day]) => day > oldest).sort(([one], [other]) => one - other),
  };
}

/** What happened since `taken`: undefined where nothing did. */
export function sinceTaken(fact: Fact, taken: Fact | undefined): Fact | undefined {
  if (!taken || beganAnew(fact, taken)) return fact;
  if (fact.count === taken.count || isOlder(fact, taken)) return undefined;
  const before = new Map(taken.days);
  const days = fact.days.map(([day, count]) => [day, count - (before.get(day) ?? 0)] as const);
  return { ...fact, count: fact.count - taken.count, days: days.filter(([, count]) => count > 0) };
}

/** What is taken when a fact was: never less than before. */
export function takenWith(taken: Fact | undefined, fact: Fact): Fact {
  return taken && isOlder(fact, taken) ? taken : fact;
}

// The fact was dropped meanwhile, and happened again.
function beganAnew(fact: Fact, taken: Fact): boolean {
  return fact.first > taken.last;
}

// It was read before what was taken, and comes behind it.
function isOlder(fact: Fact, taken: Fact): boolean {
  return !beganAnew(fact, taken) && (fact.count < taken.count || fact.last < taken.first);
}
