import type { ItemHash, ItemHasher, SubjectReading } from '../knowledge/index.ts';
import { normalizeItem, type Suggestion } from '../protocol/index.ts';

/* combos.ts: rules over items, read and hashed once at the start. Hashing an item costs an HMAC, and a question about all
 * combos must not cost thousands of them. */

/** The most combos of a service. */
export const MAX_COMBOS = 1_000;
/** The most items of one combo. */
export const MAX_ITEMS_OF_COMBO = 50;
/** The most items of all combos together. A question about a visitor who has seen them all asks Redis for each, as a page
 *  and as an item. */
export const MAX_ITEMS_OF_COMBOS = 5_000;

// Above it, combos whose first item was not seen are left out first: in a seen filter each item is asked for by itself.
const ASKED_AT_ONCE = 256;
// Lua cannot unpack more than some thousands.
const ITEMS_PER_COMMAND = 1_000;

/** A rule over items: when all of them were seen, it suggests something and can say because of what. */
export interface Combo {
  readonly name: string;
  /** Paths, URLs or names; 1 to 50. */
  readonly all: readonly string[];
  readonly suggest: string;
  readonly reason: string;
}

/** Checks combos and reduces their items.
 *  @throws RangeError that names the combo and the limit. */
export function checkCombos(combos: readonly Combo[]): Combo[] {
  if (!Array.isArray(combos) || combos.length > MAX_COMBOS) {
    throw new RangeError(`combos cannot be used: give an array of at most ${MAX_COMBOS} combos.`);
  }
  const names = new Set<string>();
  let sum = 0;
  const checked = combos.map((combo, i) => {
    const { name, all, suggest, reason = '' } = (combo ?? {}) as Partial<Combo>;
    const which = `combos[${i}]`;
    if (typeof name !== 'string' || name === '' || name.length > 128) {
      throw new RangeError(`${which}.name cannot be used: give 1 to 128 characters.`);
    }
    if (names.has(name)) throw new RangeError(`combos: two are called "${name}"; give each its own name.`);
    names.add(name);
    if (!Array.isArray(all) || all.length === 0 || all.length > MAX_ITEMS_OF_COMBO) {
      throw new RangeError(`${which}.all cannot be used: give an array of 1 to ${MAX_ITEMS_OF_COMBO} items.`);
    }
    if (typeof suggest !== 'string' || typeof reason !== 'string') {
      throw new RangeError(`${which} cannot be used: "suggest" and "reason" must be texts.`);
    }
    sum += all.length;
    return { name, suggest, reason, all: all.map((item, j) => reduce(item, `${which}.all[${j}]`)) };
  });
  if (sum > MAX_ITEMS_OF_COMBOS) {
    throw new RangeError(
      `combos: they have ${sum} items together, and at most ${MAX_ITEMS_OF_COMBOS} can be asked about: give fewer combos, or shorter ones.`,
    );
  }
  return checked;
}

/** The combos of a service. */
export class Combos {
  readonly #combos: readonly { readonly combo: Combo; readonly items: readonly number[] }[];
  // The hashes of each item by its number: as a page, and as a marked item.
  readonly #pages: readonly ItemHash[];
  readonly #items: readonly ItemHash[];

  /** `combos`: as `checkCombos` gives them. */
  constructor(items: ItemHasher, combos: readonly Combo[]) {
    const numbers = new Map<string, number>();
    this.#combos = combos.map((combo) => ({
      combo,
      items: [...new Set(combo.all)].map((item) => {
        const number = numbers.get(item) ?? numbers.size;
        numbers.set(item, number);
        return number;
      }),
    }));
    this.#pages = items.ofAll('page', [...numbers.keys()]);
    this.#items = items.ofAll('item', [...numbers.keys()]);
  }

  /** Those that hold for a subject, in their order: all, or the one that is called `name`. Where they have many items,
   *  combos whose first item was not seen are left out first. */
  async holding(subject: SubjectReading, name: string): Promise<Suggestion[]> {
    let open = name === '' ? this.#combos : this.#combos.filter(({ combo }) => combo.name === name);
    const seen = new Map<number, boolean>();
    if (open.reduce((sum, { items }) => sum + items.length, 0) > ASKED_AT_ONCE) {
      await this.#ask(subject, new Set(open.map(({ items }) => items[0]!)), seen);
      open = open.filter(({ items }) => seen.get(items[0]!));
    }
    await this.#ask(subject, new Set(open.flatMap(({ items }) => items)), seen);
    return open
      .filter(({ items }) => items.every((item) => seen.get(item)))
      .map(({ combo: { name: combo, suggest, all, reason } }) => ({ combo, suggest, because: [...all], reason }));
  }

  async #ask(subject: SubjectReading, wanted: ReadonlySet<number>, seen: Map<number, boolean>): Promise<void> {
    const items = [...wanted].filter((item) => !seen.has(item));
    const asked: Promise<void>[] = [];
    for (let i = 0; i < items.length; i += ITEMS_PER_COMMAND) {
      const part = items.slice(i, i + ITEMS_PER_COMMAND);
      const hashesOf = (hashes: readonly ItemHash[]): ItemHash[] => part.map((item) => hashes[item]!);
      asked.push(
        Promise.all([
          subject.hasSeen('page', hashesOf(this.#pages)),
          subject.hasSeen('item', hashesOf(this.#items)),
        ]).then(([viewed, marked]) => {
          part.forEach((item, j) => void seen.set(item, viewed[j] === true || marked[j] === true));
        }),
      );
    }
    await Promise.all(asked);
  }
}

function reduce(item: unknown, where: string): string {
  if (typeof item !== 'string') throw new RangeError(`${where} is no item: give a path, a URL or a name.`);
  try {
    return normalizeItem(item);
  } catch (error) {
    throw new RangeError(`${where}: ${(error as Error).message}`);
  }
}
