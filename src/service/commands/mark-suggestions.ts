import { checkSuggestionsMark, decodePayload } from '../../protocol/internal/index.ts';
import { nameOfMark } from '../../rules/index.ts';
import { type Handler, makeHandler } from './handler.ts';

const EXPECTED = '{"rules":["name"],"as":"shown"}';

/** Notes what the visitor did with suggestions. They are facts beside the events. */
export const markSuggestions: Handler<'mark-suggestions'> = makeHandler({
  parse: (payload) => checkSuggestionsMark(decodePayload(payload, EXPECTED)),
  items: ({ rules }) => rules.length,
  run: async ({ knowledge, ruleCounting }, { subject }, { rules, as }, apply) => {
    const marked = [...new Set(rules)];
    const happened = marked.map((rule) => ({
      name: knowledge.items.of('event', nameOfMark(as, rule)),
      count: 1,
    }));
    // A dismissed suggestion stays away, whatever happens besides.
    await knowledge.track(subject, happened, { keeps: as === 'dismissed' }, apply);
    ruleCounting.marked(marked, as);
    return { rules, as };
  },
});
