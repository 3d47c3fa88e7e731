import { type Association, associationsOf } from './association-rules.ts';
import type { BasketStore } from './basket-store.ts';
import type { Candidate, Discovery } from './candidate.ts';
import { DiscoverError } from './discover-error.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { mineItemsets } from './mine-itemsets.ts';
import { leastCount, type Support } from './support.ts';

/** What is looked for. */
export interface DiscoverOptions {
  readonly support: Support;
  /** The least share, 0 to 1, of the baskets with the conditions that must hold the suggested item. */
  readonly confidence: number;
  /** The least lift of a candidate. */
  readonly lift: number;
  /** The most items of a rule, the suggested one included: 2 to 8. */
  readonly maxItems: number;
  /** How many candidates are listed. */
  readonly top: number;
  /** Whether rules are listed beside one that asks for less and is as sure. */
  readonly redundant: boolean;
  readonly maxItemsets: number;
}

/** Finds rules of the form "who has these also has that" in baskets.
 *  @throws DiscoverError */
export function discover(store: BasketStore, options: DiscoverOptions, budget: MemoryBudget): Discovery {
  const { baskets } = store;
  if (baskets === 0) throw new DiscoverError('NO_BASKETS', 'There is no basket to learn from.');
  const minCount = leastCount(options.support, baskets);
  const { maxItems, maxItemsets } = options;
  const itemsets = mineItemsets(store, { minCount, maxItems, maxItemsets }, budget);
  const { bySize, lifted, best } = associationsOf(itemsets, {
    baskets,
    minConfidence: options.confidence,
    minLift: options.lift,
    top: options.top,
    redundant: options.redundant,
  });
  const nameOf = (rank: number): string => store.names[itemsets.items[rank]!]!;
  return {
    baskets,
    items: store.names.length,
    minCount,
    frequentItems: itemsets.items.length,
    itemsets: itemsets.count,
    rules: [...bySize.values()].reduce((sum, count) => sum + count, 0),
    rulesBySize: Object.fromEntries([...bySize].sort(([a], [b]) => a - b)),
    liftedRules: lifted,
    candidates: best.map((rule) => candidateOf(rule, nameOf, baskets)),
  };
}

function candidateOf(
  { when, suggest, together, withWhen, withSuggest, confidence, lift }: Association,
  nameOf: (rank: number) => string,
  baskets: number,
): Candidate {
  return {
    when: [...when].reverse().map(nameOf),
    suggest: nameOf(suggest),
    baskets: together,
    whenBaskets: withWhen,
    suggestBaskets: withSuggest,
    support: together / baskets,
    confidence,
    lift,
  };
}
