import type { ExplainedRule } from '../protocol/index.ts';

/** Says in words what becomes of a suggestion. `because`: the items that it is made because of. Default: none. */
export function describeOutcome({ holds, shown, hidden }: ExplainedRule, because: readonly string[] = []): string {
  if (!holds) return 'not suggested';
  if (!shown) return `not suggested, although it holds: ${hidden}`;
  return because.length === 0 ? 'suggested' : `suggested because of ${because.join(', ')}`;
}
