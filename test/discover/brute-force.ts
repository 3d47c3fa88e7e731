/** A rule as the brute-force model finds it. */
export interface PlainRule {
  readonly when: readonly string[];
  readonly suggest: string;
  readonly baskets: number;
  readonly confidence: number;
  readonly lift: number;
}

/** Finds frequent sets and rules by counting each set of items in each basket: for a few items only. */
export function bruteForce(
  baskets: readonly (readonly string[])[],
  { minCount, maxItems, confidence }: { minCount: number; maxItems: number; confidence: number },
): { readonly itemsets: ReadonlyMap<string, number>; readonly rules: readonly PlainRule[] } {
  const full = baskets.map((basket) => new Set(basket)).filter((basket) => basket.size > 0);
  const names = [...new Set(baskets.flat())].sort();
  const itemsets = new Map<string, number>();
  const rules: PlainRule[] = [];
  const countOf = (items: readonly string[]): number =>
    full.filter((basket) => items.every((item) => basket.has(item))).length;
  for (const items of setsOf(names, maxItems)) {
    const together = countOf(items);
    if (together < minCount) continue;
    itemsets.set(items.join('|'), together);
    if (items.length < 2) continue;
    for (const suggest of items) {
      const when = items.filter((item) => item !== suggest);
      const sure = together / countOf(when);
      if (sure < confidence) continue;
      rules.push({
        when,
        suggest,
        baskets: together,
        confidence: sure,
        lift: (together * full.length) / (countOf(when) * countOf([suggest])),
      });
    }
  }
  return { itemsets, rules };
}

/** All sets of 1 to `most` names. */
function* setsOf(names: readonly string[], most: number, from = 0, above: readonly string[] = []): Generator<string[]> {
  for (let i = from; i < names.length; i += 1) {
    const items = [...above, names[i]!];
    yield items;
    if (items.length < most) yield* setsOf(names, most, i + 1, items);
  }
}

/** A rule as a text, to compare rules without their order. */
export function ruleText({ when, suggest, baskets, confidence, lift }: PlainRule): string {
  return `${[...when].sort().join('+')} => ${suggest} ${baskets} ${confidence.toFixed(12)} ${lift.toFixed(12)}`;
}
