import type { SubjectReading } from '../../knowledge/index.ts';
import { describeOutcome } from '../../rules/index.ts';
import { explainSubject, type ServedRules } from '../../service/internal/index.ts';
import type { ExplainedSegment, ExplainedSuggestion } from './subject-data.ts';

/** Says of all rules and segments why they hold for a subject or do not, as the service would answer it now. It counts nothing
 *  and marks nothing. `groups`: to which the subject belongs; no store knows that. */
export async function readExplanation(
  served: ServedRules,
  subject: SubjectReading,
  now: number,
  groups: readonly string[],
): Promise<{ readonly suggestions: ExplainedSuggestion[]; readonly segments: ExplainedSegment[] }> {
  const asked = served.compiled.suggestionsNamed(undefined);
  const explained = await explainSubject(served, asked, subject, now, { groups, allSegments: true });
  const made = new Map(explained.suggestions.map((each) => [each.rule, each]));
  return {
    suggestions: explained.rules.map((each, i) => ({
      rule: each.rule,
      suggest: asked[i]!.rule.suggest,
      reason: asked[i]!.rule.reason ?? '',
      suggested: each.shown,
      outcome: describeOutcome(each, made.get(each.rule)?.because),
      explanation: each.explanation,
    })),
    segments: Object.entries(explained.segments).map(([segment, explanation]) => ({ segment, explanation })),
  };
}
