import { IntList } from './int-list.ts';
import type { MemoryBudget } from './memory-budget.ts';

/* basket-store.ts: baskets as numbers, 4 bytes for each item of each basket. Reading a file once is enough, so a pipe serves
 * as well; names stand once, whatever the number of baskets. */

/** What a name costs beside its characters: an entry of the map, of the list, and the text's own head. */
const NAME_BYTES = 120;
const ADVICE = 'give a part of the file, or fewer different items';

/** Baskets of items. */
export class BasketStore {
  readonly #budget: MemoryBudget;
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];
  // The items of all baskets; the last of each basket as its complement, which is negative.
  readonly #cells: IntList;
  readonly #counts: IntList;
  // The basket in which an item stood last: so repetitions are found without a set for each basket.
  readonly #lastBasket: IntList;
  #baskets = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
    this.#cells = new IntList(budget, ADVICE);
    this.#counts = new IntList(budget, ADVICE);
    this.#lastBasket = new IntList(budget, ADVICE);
  }

  /** How many baskets there are. */
  get baskets(): number {
    return this.#baskets;
  }

  /** The names of items, by their numbers. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** How many baskets hold the item of a number. */
  countOf(item: number): number {
    return this.#counts.values[item]!;
  }

  /** The number of an item; a new one where it was not known.
   *  @throws DiscoverError where the memory does not suffice. */
  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#budget.take(NAME_BYTES + 2 * name.length, ADVICE);
    const number = this.#names.length;
    this.#numbers.set(name, number);
    this.#names.push(name);
    this.#counts.push(0);
    this.#lastBasket.push(-1);
    return number;
  }

  /** Adds a basket of item numbers; one that stands in it several times counts once. A basket without items is none.
   *  @throws DiscoverError where the memory does not suffice. */
  add(items: Iterable<number>): void {
    const cells = this.#cells;
    const begin = cells.length;
    for (const item of items) {
      if (this.#lastBasket.values[item] === this.#baskets) continue;
      this.#lastBasket.values[item] = this.#baskets;
      this.#counts.values[item]! += 1;
      cells.push(item);
    }
    if (cells.length === begin) return;
    cells.values[cells.length - 1] = ~cells.values[cells.length - 1]!;
    this.#baskets += 1;
  }

  /** Calls `visit` with each basket: the numbers from 0 to `length` of one array, which the next call uses again. */
  forEach(visit: (items: Int32Array, length: number) => void): void {
    const { values, length } = this.#cells;
    let items = new Int32Array(64);
    let size = 0;
    for (let i = 0; i < length; i += 1) {
      const cell = values[i]!;
      if (size === items.length) {
        const longer = new Int32Array(2 * size);
        longer.set(items);
        items = longer;
      }
      items[size++] = cell < 0 ? ~cell : cell;
      if (cell >= 0) continue;
      visit(items, size);
      size = 0;
    }
  }
}
