import { isPageItem, normalizeItem } from '../../protocol/index.ts';
import type { Clock, Keys, RedisConnection, SeenKind } from '../../redis/index.ts';
import type { ItemHash, ItemHasher } from '../item-hash.ts';
import { MINUTE_MS, MINUTES_PER_DAY } from '../utc-days.ts';
import { COUNT_BYTES, countPairs, positionOf } from './count-pairs-script.ts';

/* pair-counts.ts: how many subjects saw two names, for all pairs of names that the site registered; no subject stands there.
 * The counts are exact: 500 names have 125,250 of them, and a sketch of the same size would only estimate. A key a week, in
 * which a subject counts when it first sees a name; see docs/adr/0031. */

/** The most names that are counted. */
export const MOST_PAIR_NAMES = 500;
/** How many weeks are kept, the present one included. */
export const PAIR_WEEKS = 5;

const WEEK_MS = 7 * MINUTES_PER_DAY * MINUTE_MS;
const KEPT_SECONDS = (PAIR_WEEKS * WEEK_MS) / 1_000;
// A script of some milliseconds.
const TRIPLES_AT_ONCE = 2_000;

/** A registered name: its kind and its hash. */
export interface PairName {
  readonly name: string;
  readonly kind: SeenKind;
  readonly hash: ItemHash;
}

/** Counts to add: numbers of names by their order at `PairCounts.register`. */
export interface PairIncrements {
  /** Subjects that saw the first of the names. */
  subjects: number;
  /** `low * 1024 + high` (the same twice: the name itself) -> how many subjects. */
  readonly pairs: Map<number, number>;
}

/** Makes the key of `PairIncrements.pairs`. */
export function pairKey(one: number, other: number): number {
  return one < other ? one * 1024 + other : other * 1024 + one;
}

/** What was counted in some weeks. */
export interface PairTotals {
  readonly subjects: number;
  /** How many subjects saw a name, by the order of the names. */
  readonly single: readonly number[];
  /** How many saw both of two names. */
  both(one: number, other: number): number;
}

/** Checks registered names: pages (paths and URLs) and names of marked items.
 *  @throws RangeError that names the place. */
export function checkPairNames(names: unknown): string[] {
  if (!Array.isArray(names) || names.length < 2 || names.length > MOST_PAIR_NAMES) {
    throw new RangeError(`livePairs.names cannot be used: give an array of 2 to ${MOST_PAIR_NAMES} names.`);
  }
  const checked = names.map((name: unknown, i) => {
    if (typeof name !== 'string') throw new RangeError(`livePairs.names[${i}] cannot be used: give a path or a name.`);
    try {
      return normalizeItem(name);
    } catch (error) {
      throw new RangeError(`livePairs.names[${i}]: ${(error as Error).message}`);
    }
  });
  const twice = checked.find((name, i) => checked.indexOf(name) !== i);
  if (twice !== undefined) throw new RangeError(`livePairs.names: "${twice}" stands there twice.`);
  return checked;
}

/** Hashes registered names. `names`: as `checkPairNames` gives them. */
export function pairNamesOf(items: ItemHasher, names: readonly string[]): PairName[] {
  return names.map((name) => {
    const kind = isPageItem(name) ? 'page' : 'item';
    return { name, kind, hash: items.of(kind, name) };
  });
}

/** The counts of pairs of one namespace. */
export class PairCounts {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #names: readonly PairName[];
  readonly #now: Clock;

  constructor(redis: RedisConnection, keys: Keys, names: readonly PairName[], now: Clock) {
    this.#redis = redis;
    this.#keys = keys;
    this.#names = names;
    this.#now = now;
  }

  /** Adds counts to those of this week: one command for each 2,000 of them. Returns how many names had no room beside others
   *  that were registered in the same week. */
  async add({ subjects, pairs }: PairIncrements): Promise<number> {
    const week = Math.floor(this.#now() / WEEK_MS);
    const entries = [...pairs];
    let missing = 0;
    for (let from = 0; from === 0 || from < entries.length; from += TRIPLES_AT_ONCE) {
      const part = entries.slice(from, from + TRIPLES_AT_ONCE);
      missing = Math.max(missing, await this.#addPart(week, part, from === 0 ? subjects : 0));
    }
    return missing;
  }

  #addPart(week: number, part: readonly (readonly [number, number])[], subjects: number): Promise<number> {
    const places = new Map<number, number>();
    const placeOf = (name: number): number => {
      const place = places.get(name) ?? places.size + 1;
      places.set(name, place);
      return place;
    };
    const triples = part.flatMap(([key, count]) => [placeOf(Math.floor(key / 1024)), placeOf(key % 1024), count]);
    if (subjects > 0) triples.push(0, 0, subjects);
    const names = [...places.keys()].map((name) => this.#fieldOf(name));
    return countPairs.run(
      this.#redis,
      { names: this.#keys.pairNames(week), counts: this.#keys.pairCounts(week) },
      { most: MOST_PAIR_NAMES, seconds: KEPT_SECONDS, fields: names.length },
      { args: [...names, ...triples.map(String)] },
    );
  }

  /** Reads the counts of the last weeks, the present one included. */
  async read(weeks: number): Promise<PairTotals> {
    const thisWeek = Math.floor(this.#now() / WEEK_MS);
    const tables = await Promise.all(Array.from({ length: weeks }, (_, back) => this.#readWeek(thisWeek - back)));
    const sumOf = (read: (table: WeekTable) => number): number => tables.reduce((sum, table) => sum + read(table), 0);
    return {
      subjects: sumOf((table) => table.subjects),
      single: this.#names.map((_, name) => sumOf((table) => table.both(name, name))),
      both: (one, other) => sumOf((table) => table.both(one, other)),
    };
  }

  async #readWeek(week: number): Promise<WeekTable> {
    const [rows, counts] = await Promise.all([
      this.#redis.command<Record<string, string>>('HGETALL', this.#keys.pairNames(week)),
      this.#redis.commandForBuffers<Buffer | null>('GET', this.#keys.pairCounts(week)),
    ]);
    const rowOf = new Map(Object.entries(rows).map(([field, row]) => [field, Number(row)]));
    const at = (position: number): number => {
      const offset = position * COUNT_BYTES;
      return counts && offset + COUNT_BYTES <= counts.length ? counts.readUInt32BE(offset) : 0;
    };
    return {
      subjects: at(0),
      both: (one, other) => {
        const [row, column] = [rowOf.get(this.#fieldOf(one)), rowOf.get(this.#fieldOf(other))];
        return row === undefined || column === undefined ? 0 : at(positionOf(row, column));
      },
    };
  }

  // The keyed hash, by which nobody without the secret knows a name.
  #fieldOf(name: number): string {
    const { kind, hash } = this.#names[name]!;
    return `${kind[0]}${hash}`;
  }
}

interface WeekTable {
  readonly subjects: number;
  both(one: number, other: number): number;
}
