import { type Association, compareRules } from './association-rules.ts';
import type { Candidate, Discovery } from './candidate.ts';
import { leastCount, type Support } from './support.ts';

/** Counts of pairs of names, as they are kept of live subjects. */
export interface CountedPairs {
  readonly names: readonly string[];
  /** How many subjects saw any of the names. */
  readonly subjects: number;
  /** By name: how many saw it. */
  readonly single: readonly number[];
  both(one: number, other: number): number;
}

/** What is looked for in counted pairs. */
export interface PairOptions {
  readonly support: Support;
  readonly confidence: number;
  readonly lift: number;
  readonly top: number;
}

/** A pair that fewer subjects saw is not told: it would be the history of a few. */
export const LEAST_SUBJECTS = 10;

/** Finds rules of two names in counted pairs, each seen by 10 subjects or more. */
export function discoverPairs(counted: CountedPairs, options: PairOptions): Discovery {
  const { names, single, subjects } = counted;
  const minCount = Math.max(LEAST_SUBJECTS, leastCount(options.support, subjects));
  const found: Association[] = [];
  let pairs = 0;
  let rules = 0;
  for (let one = 0; one < names.length; one += 1) {
    for (let other = 0; other < one; other += 1) {
      const together = counted.both(one, other);
      if (together < minCount) continue;
      pairs += 1;
      for (const [when, suggest] of [
        [one, other],
        [other, one],
      ] as const) {
        const rule = associationOf(counted, { when, suggest, together });
        if (rule.confidence < options.confidence) continue;
        rules += 1;
        if (rule.lift >= options.lift) found.push(rule);
      }
    }
  }
  const frequentItems = single.filter((count) => count >= minCount).length;
  return {
    ...{ baskets: subjects, items: single.filter((count) => count > 0).length, minCount, frequentItems },
    ...{
      itemsets: frequentItems + pairs,
      rules,
      rulesBySize: rules === 0 ? {} : { 2: rules },
      liftedRules: found.length,
    },
    candidates: found
      .sort(compareRules)
      .slice(0, options.top)
      .map((rule) => candidateOf(rule, counted)),
  };
}

// A name that was counted in an earlier week than the pair can be counted less often than the pair.
function associationOf(
  { single, subjects }: CountedPairs,
  { when, suggest, together }: { readonly when: number; readonly suggest: number; readonly together: number },
): Association {
  const withWhen = Math.max(single[when]!, together);
  const withSuggest = Math.max(single[suggest]!, together);
  const all = Math.max(subjects, withWhen, withSuggest);
  const lift = (together * all) / (withWhen * withSuggest);
  return { when: [when], suggest, together, withWhen, withSuggest, confidence: together / withWhen, lift };
}

function candidateOf(
  { when, suggest, together, withWhen, withSuggest, confidence, lift }: Association,
  { names, subjects }: CountedPairs,
): Candidate {
  return {
    when: when.map((name) => names[name]!),
    suggest: names[suggest]!,
    baskets: together,
    whenBaskets: withWhen,
    suggestBaskets: withSuggest,
    support: together / subjects,
    confidence,
    lift,
  };
}
