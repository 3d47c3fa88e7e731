import { DiscoverError } from './discover-error.ts';
import { IntList } from './int-list.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { PairTable } from './pair-table.ts';

const ADVICE = 'give a higher support (--support) or smaller rules (--max-items)';

/** Frequent itemsets, as a tree: the set of a node is its item and those above it, the least frequent at the root. Each set
 *  stands there once, and any set is found in as many steps as it has items. */
export class Itemsets {
  /** Item numbers by rank: how frequent they are, 0 the most. */
  readonly items: Int32Array;
  readonly #sets: PairTable;
  readonly #support: IntList;
  readonly #most: number;

  /** `most`: how many sets are kept at most. */
  constructor(items: Int32Array, budget: MemoryBudget, most: number) {
    this.items = items;
    this.#sets = new PairTable(budget, ADVICE);
    this.#support = new IntList(budget, ADVICE);
    this.#support.push(0);
    this.#most = most;
  }

  /** How many sets there are; their numbers are 1 to this one. */
  get count(): number {
    return this.#sets.size - 1;
  }

  /** Adds the set `above` (0: the empty one) with one more item, of a smaller rank. Returns its number.
   *  @throws DiscoverError `DISCOVERY_TOO_LARGE` */
  add(above: number, rank: number, support: number): number {
    if (this.count >= this.#most) {
      throw new DiscoverError(
        'DISCOVERY_TOO_LARGE',
        `There are more than ${this.#most.toLocaleString('en-US')} frequent sets of items: ${ADVICE}, or allow more (--max-itemsets).`,
      );
    }
    const set = this.#sets.add(above, rank);
    this.#support.push(support);
    return set;
  }

  /** How many baskets hold all items of a set. */
  supportOf(set: number): number {
    return this.#support.values[set]!;
  }

  /** Writes the ranks of a set's items to `ranks`, descending. Returns how many there are. */
  ranksOf(set: number, ranks: number[]): number {
    let size = 0;
    for (let node = set; node !== 0; node = this.#sets.parent.values[node]!) {
      ranks[size++] = this.#sets.item.values[node]!;
    }
    for (let i = 0, j = size - 1; i < j; i += 1, j -= 1) [ranks[i], ranks[j]] = [ranks[j]!, ranks[i]!];
    return size;
  }

  /** Finds the set below `set` with one more item; 0 where it is not frequent. */
  step(set: number, rank: number): number {
    return this.#sets.find(set, rank);
  }
}
