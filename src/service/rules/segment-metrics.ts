import { withDeadline } from '../../async/index.ts';
import type { RuleCounts } from '../../knowledge/index.ts';
import type { ActiveRules } from './active-rules.ts';

const DEADLINE_MS = 1_000;

/** Reads for how many subjects each configured segment held today. Nothing where Redis does not answer. */
export async function readSegments(rules: ActiveRules, counts: RuleCounts): Promise<(readonly [string, number])[]> {
  const names = rules.current.compiled.segments.map(({ name }) => name);
  const reading = counts.segments(names).then((all) => all.map(({ today }, i) => [names[i]!, today] as const));
  return withDeadline(reading, DEADLINE_MS, () => []).catch(() => []);
}
