import { IntList } from './int-list.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { PairTable } from './pair-table.ts';

/* fp-tree.ts: baskets as a tree of prefixes (Han, Pei, Yin: Mining frequent patterns without candidate generation, 2000).
 * Items are numbered by how frequent they are, 0 the most, and stand in that order in each basket: so baskets share their
 * beginnings. The nodes of an item are chained. */

const ADVICE = 'give a higher support (--support)';

/** A tree of baskets. It can be used again for other baskets. */
export class FpTree {
  readonly #nodes: PairTable;
  readonly #count: IntList;
  // By node: the next one of the same item; by item: the first one. 0: none.
  readonly #next: IntList;
  readonly #first: IntList;
  readonly #total: IntList;

  constructor(budget: MemoryBudget) {
    this.#nodes = new PairTable(budget, ADVICE);
    this.#count = new IntList(budget, ADVICE);
    this.#next = new IntList(budget, ADVICE);
    this.#first = new IntList(budget, ADVICE);
    this.#total = new IntList(budget, ADVICE);
  }

  /** How many items there are. */
  get items(): number {
    return this.#first.length;
  }

  /** How many baskets hold an item. */
  totalOf(item: number): number {
    return this.#total.values[item]!;
  }

  /** Removes all baskets. `items`: how many items there are from now on; `expectedNodes`: a guess. */
  clear(items: number, expectedNodes: number): void {
    this.#nodes.clear(expectedNodes);
    this.#count.length = 0;
    this.#next.length = 0;
    this.#count.push(0);
    this.#next.push(0);
    for (const list of [this.#first, this.#total]) {
      list.reserve(items);
      list.length = items;
      list.values.fill(0, 0, items);
    }
  }

  /** Adds `count` equal baskets: the items from `from` to `to` of an array, ascending. */
  add(items: Int32Array, from: number, to: number, count: number): void {
    const nodes = this.#nodes;
    let node = 0;
    for (let i = from; i < to; i += 1) {
      const item = items[i]!;
      this.#total.values[item]! += count;
      const child = nodes.find(node, item);
      if (child !== 0) {
        this.#count.values[child]! += count;
        node = child;
        continue;
      }
      node = nodes.add(node, item);
      this.#count.push(count);
      this.#next.push(this.#first.values[item]!);
      this.#first.values[item] = node;
    }
  }

  /** Walks from each node of an item up to the root: calls `step` with each item on the way, the least frequent first, and
   *  `end` at the root; both with how many baskets go through the node. */
  walkUp(item: number, step: (above: number, count: number) => void, end?: (count: number) => void): void {
    const { parent, item: itemOf } = this.#nodes;
    for (let node = this.#first.values[item]!; node !== 0; node = this.#next.values[node]!) {
      const count = this.#count.values[node]!;
      for (let above = parent.values[node]!; above !== 0; above = parent.values[above]!) {
        step(itemOf.values[above]!, count);
      }
      end?.(count);
    }
  }
}
