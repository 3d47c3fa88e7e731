import type { Itemsets } from './itemsets.ts';

/* association-rules.ts: a frequent set makes a rule for each of its items: who has the others also has this one. One item is
 * suggested at a time, so rules that suggest several are not made. */

/** A rule that the data support. */
export interface Association {
  /** Ranks of the items that must be there. */
  readonly when: readonly number[];
  /** Rank of the item that is suggested. */
  readonly suggest: number;
  /** How many baskets hold all of them, those of `when`, and the suggested one. */
  readonly together: number;
  readonly withWhen: number;
  readonly withSuggest: number;
  /** Share of the baskets with `when` that hold the suggested one too. */
  readonly confidence: number;
  /** How many times as large that share is as among all baskets. */
  readonly lift: number;
}

/** Which rules are wanted. */
export interface AssociationBounds {
  /** How many baskets there are. */
  readonly baskets: number;
  readonly minConfidence: number;
  readonly minLift: number;
  /** How many rules are listed, the best first. */
  readonly top: number;
  /** Whether rules are listed beside one that asks for less and is as sure. */
  readonly redundant: boolean;
}

/** The rules of some data. */
export interface Associations {
  /** How many there are of the confidence asked for, by their number of items; of any lift. */
  readonly bySize: ReadonlyMap<number, number>;
  /** How many of these have the lift asked for. */
  readonly lifted: number;
  /** The best of those: by lift, then by how many baskets they hold for, then by confidence. */
  readonly best: readonly Association[];
}

/** Makes the rules of frequent sets. */
export function associationsOf(itemsets: Itemsets, bounds: AssociationBounds): Associations {
  const { baskets, minConfidence, minLift } = bounds;
  const bySize = new Map<number, number>();
  const best = new BestAssociations(bounds.top, (rule) => bounds.redundant || !isRedundant(itemsets, rule));
  const ranks: number[] = [];
  let lifted = 0;
  for (let set = 1; set <= itemsets.count; set += 1) {
    const size = itemsets.ranksOf(set, ranks);
    if (size < 2) continue;
    const together = itemsets.supportOf(set);
    for (let left = 0; left < size; left += 1) {
      const withWhen = itemsets.supportOf(setWithout(itemsets, ranks, size, left));
      if (together / withWhen < minConfidence) continue;
      bySize.set(size, (bySize.get(size) ?? 0) + 1);
      const withSuggest = itemsets.supportOf(itemsets.step(0, ranks[left]!));
      const lift = (together * baskets) / (withWhen * withSuggest);
      if (lift < minLift) continue;
      lifted += 1;
      if (lift < best.leastLift) continue;
      const when = ranks.slice(0, size).filter((_, i) => i !== left);
      best.add({
        ...{ when, suggest: ranks[left]!, together, withWhen, withSuggest, lift },
        confidence: together / withWhen,
      });
    }
  }
  return { bySize, lifted, best: best.list() };
}

function setWithout(itemsets: Itemsets, ranks: readonly number[], size: number, left: number): number {
  let set = 0;
  for (let i = 0; i < size; i += 1) if (i !== left) set = itemsets.step(set, ranks[i]!);
  return set;
}

/** Whether some of the conditions make at least as sure: then the others add nothing. */
function isRedundant(itemsets: Itemsets, { when, suggest, confidence }: Association): boolean {
  for (let chosen = 1; chosen < 2 ** when.length - 1; chosen += 1) {
    const some = when.filter((_, i) => ((chosen >> i) & 1) === 1);
    const both = [...some, suggest].sort((a, b) => b - a);
    const ofSome = itemsets.supportOf(setOf(itemsets, some));
    if (itemsets.supportOf(setOf(itemsets, both)) / ofSome >= confidence) return true;
  }
  return false;
}

function setOf(itemsets: Itemsets, ranks: readonly number[]): number {
  return ranks.reduce((set, rank) => itemsets.step(set, rank), 0);
}

/** Keeps the best rules: at most twice as many as are wanted, whatever their number. */
class BestAssociations {
  readonly #most: number;
  readonly #isWanted: (rule: Association) => boolean;
  #rules: Association[] = [];
  /** A rule of less lift is not among the best. */
  leastLift = Number.NEGATIVE_INFINITY;

  constructor(most: number, isWanted: (rule: Association) => boolean) {
    this.#most = most;
    this.#isWanted = isWanted;
  }

  add(rule: Association): void {
    if (!this.#isWanted(rule)) return;
    this.#rules.push(rule);
    if (this.#rules.length < 2 * this.#most + 1) return;
    this.#rules = this.list();
    this.leastLift = this.#rules.at(-1)!.lift;
  }

  list(): Association[] {
    return this.#rules.sort(compareRules).slice(0, this.#most);
  }
}

/** Compares two rules: the better one first. No two rules are equal. */
export function compareRules(a: Association, b: Association): number {
  return (
    b.lift - a.lift ||
    b.together - a.together ||
    b.confidence - a.confidence ||
    a.when.length - b.when.length ||
    a.suggest - b.suggest ||
    compareRanks(a.when, b.when)
  );
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((rank, i) => rank !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}
