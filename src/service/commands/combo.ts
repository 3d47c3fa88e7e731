import { checkSuggestionsQuery, decodePayload } from '../../protocol/internal/index.ts';
import { explain, explainSegments, heldSegments, suggest } from '../../rules/index.ts';
import { evaluate } from '../rules/evaluation.ts';
import { type Handler, makeHandler } from './handler.ts';

const EXPECTED = '"", a name, or {"name":"...","explain":true}';

/** Answers what is suggested now, or whether the named rule suggests it, and because of what; where told, also why each rule
 *  holds or does not. A rule that is not configured does not hold: pages may be newer or older than the rules. */
export const combo: Handler<'combo'> = makeHandler({
  parse: (payload) =>
    checkSuggestionsQuery(
      typeof payload === 'string' && payload.startsWith('{') ? decodePayload(payload, EXPECTED) : payload,
    ),
  items: ({ groups = [] }) => groups.length,
  run: async ({ rules, knowledge, ruleCounting }, subject, { name, explain: isExplained = false, here, groups }) => {
    const served = rules.current;
    const asked = served.compiled.suggestionsNamed(name);
    if (asked.length === 0) return isExplained ? { suggestions: [], rules: [], segments: {} } : [];
    const answers = await evaluate(served, asked, subject, knowledge.now(), {
      groups,
      here,
      needs: isExplained ? 'all' : 'because',
    });
    const suggestions = suggest(asked, answers);
    const explained = isExplained && {
      suggestions,
      rules: explain(asked, answers),
      segments: explainSegments(served.compiled, asked, answers),
    };
    ruleCounting.marked(
      suggestions.map(({ rule }) => rule),
      'fired',
    );
    ruleCounting.held(subject.subject, heldSegments(served.compiled, answers));
    return explained || suggestions;
  },
});
