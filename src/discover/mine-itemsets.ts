import type { BasketStore } from './basket-store.ts';
import { FpTree } from './fp-tree.ts';
import { Itemsets } from './itemsets.ts';
import type { MemoryBudget } from './memory-budget.ts';

/* mine-itemsets.ts: FP-growth. For each item, the least frequent first, the baskets that hold it are made a smaller tree, and
 * that is mined in turn. There is one tree for each size of sets at any moment, and each is used again. The largest sets need
 * no tree of their own: counting is enough. */

/** Bounds of a mining. */
export interface MiningBounds {
  /** In how many baskets a set must be, 1 or more. */
  readonly minCount: number;
  /** The most items of a set. */
  readonly maxItems: number;
  /** The most sets that are kept. */
  readonly maxItemsets: number;
}

/** Finds the sets of items that stand together in `minCount` baskets or more.
 *  @throws DiscoverError `DISCOVERY_TOO_LARGE` where they are too many, or the memory does not suffice. */
export function mineItemsets(store: BasketStore, bounds: MiningBounds, budget: MemoryBudget): Itemsets {
  const items = frequentItems(store, bounds.minCount);
  const itemsets = new Itemsets(items, budget, bounds.maxItemsets);
  const tree = treeOf(store, items, budget);
  new Growth(itemsets, bounds, budget).grow(tree, undefined, 0, 1);
  return itemsets;
}

// The most frequent first; of equally frequent ones by name, so that each run gives the same.
function frequentItems(store: BasketStore, minCount: number): Int32Array {
  const { names } = store;
  const frequent: number[] = [];
  for (let item = 0; item < names.length; item += 1) if (store.countOf(item) >= minCount) frequent.push(item);
  return Int32Array.from(
    frequent.sort((a, b) => store.countOf(b) - store.countOf(a) || (names[a]! < names[b]! ? -1 : 1)),
  );
}

function treeOf(store: BasketStore, items: Int32Array, budget: MemoryBudget): FpTree {
  const tree = new FpTree(budget);
  tree.clear(items.length, items.length);
  const rankOf = new Int32Array(store.names.length).fill(-1);
  for (const [rank, item] of items.entries()) rankOf[item] = rank;
  store.forEach((basket, length) => {
    let size = 0;
    for (let i = 0; i < length; i += 1) {
      const rank = rankOf[basket[i]!]!;
      if (rank >= 0) basket[size++] = rank;
    }
    if (size > 1) basket.subarray(0, size).sort();
    tree.add(basket, 0, size, 1);
  });
  return tree;
}

/** What stands beside a tree of one size: counts, and the path that is being copied. */
interface Level {
  readonly tree: FpTree;
  /** By item of this tree, its rank. */
  ranks: Int32Array;
}

class Growth {
  readonly #itemsets: Itemsets;
  readonly #bounds: MiningBounds;
  readonly #budget: MemoryBudget;
  readonly #levels: Level[] = [];

  constructor(itemsets: Itemsets, bounds: MiningBounds, budget: MemoryBudget) {
    this.#itemsets = itemsets;
    this.#bounds = bounds;
    this.#budget = budget;
  }

  /** Adds all sets of a tree's baskets, each with the items of `above`. `ranks`: of the tree's items, undefined where they are
   *  the items themselves. `size`: how many items a set has that is `above` and one item. */
  grow(tree: FpTree, ranks: Int32Array | undefined, above: number, size: number): void {
    const { maxItems, minCount } = this.#bounds;
    const counts = new Int32Array(tree.items);
    const places = new Int32Array(tree.items);
    for (let item = tree.items - 1; item >= 0; item -= 1) {
      const set = this.#itemsets.add(above, ranks ? ranks[item]! : item, tree.totalOf(item));
      if (size === maxItems) continue;
      const touched: number[] = [];
      let steps = 0;
      tree.walkUp(item, (over, count) => {
        if (counts[over] === 0) touched.push(over);
        counts[over]! += count;
        steps += 1;
      });
      const frequent = touched.filter((over) => counts[over]! >= minCount).sort((a, b) => a - b);
      if (size + 1 === maxItems || frequent.length === 1) {
        for (const over of frequent) this.#itemsets.add(set, ranks ? ranks[over]! : over, counts[over]!);
      } else if (frequent.length > 0) {
        for (const [i, over] of frequent.entries()) places[over] = i + 1;
        const level = this.#condense(tree, item, places, frequent.length, { size, steps });
        level.ranks = Int32Array.from(frequent, (over) => (ranks ? ranks[over]! : over));
        this.grow(level.tree, level.ranks, set, size + 1);
        for (const over of frequent) places[over] = 0;
      }
      for (const over of touched) counts[over] = 0;
    }
  }

  // The baskets that hold an item, without it and without what is no longer frequent. `places`: of what is left, from 1 on.
  #condense(
    tree: FpTree,
    item: number,
    places: Int32Array,
    items: number,
    { size, steps }: { readonly size: number; readonly steps: number },
  ): Level {
    this.#levels[size] ??= { tree: new FpTree(this.#budget), ranks: new Int32Array(0) };
    const level = this.#levels[size];
    level.tree.clear(items, steps);
    const path = new Int32Array(items);
    let from = items;
    tree.walkUp(
      item,
      (over) => {
        const place = places[over]!;
        if (place > 0) path[--from] = place - 1;
      },
      (count) => {
        level.tree.add(path, from, items, count);
        from = items;
      },
    );
    return level;
  }
}
