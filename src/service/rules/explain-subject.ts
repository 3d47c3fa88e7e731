import type { SubjectReading } from '../../knowledge/index.ts';
import type { ExplainedSuggestions } from '../../protocol/index.ts';
import { type CompiledSuggestion, explain, explainSegments, suggest } from '../../rules/index.ts';
import { evaluate } from './evaluation.ts';
import type { ServedRules } from './served-rules.ts';

/** What is known of the page that asks; a tool that asks for no page leaves it out. */
export interface ExplainedPage {
  /** The page that is being rendered, which counts as viewed. Default: none. */
  readonly here?: string | undefined;
  /** The groups to which the visitor belongs. Default: none. */
  readonly groups?: readonly string[];
  /** Whether segments that no rule asks are explained too. Default false. */
  readonly allSegments?: boolean;
}

/** Says of suggestions and of the segments that they ask why they are made or not, as the service answers it. It writes
 *  nothing. */
export async function explainSubject(
  served: ServedRules,
  asked: readonly CompiledSuggestion[],
  subject: SubjectReading,
  now: number,
  { here, groups = [], allSegments = false }: ExplainedPage = {},
): Promise<ExplainedSuggestions> {
  const rules = allSegments ? [...asked, ...served.compiled.segments] : asked;
  const answers = await evaluate(served, rules, subject, now, { groups, here, needs: 'all' });
  return {
    suggestions: suggest(asked, answers),
    rules: explain(asked, answers),
    segments: explainSegments(served.compiled, allSegments ? 'all' : asked, answers),
  };
}
