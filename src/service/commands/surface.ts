import { checkItem, checkList, decodePayload, isObject } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

interface Candidate {
  /** As it came, and as it is given back. */
  readonly given: string;
  readonly item: string;
}

const EXPECTED = 'a JSON array of items, or {"items":[...],"here":"/p"}';

/** Answers which of the given items this session has not seen, as a page that it viewed or as an item that was marked, in
 *  their order. The page that it looks at (`here`) counts as seen: its view is counted when it has been answered. */
export const surface: Handler<'surface'> = makeHandler({
  parse: (payload) => {
    const value = decodePayload(payload, EXPECTED);
    const query: Record<string, unknown> = isObject(value) && 'items' in value ? value : { items: value };
    return {
      candidates: checkList(query.items, EXPECTED).map(
        (given): Candidate => ({ given: given as string, item: checkItem(given) }),
      ),
      here: query.here === undefined ? undefined : checkItem(query.here),
    };
  },
  items: ({ candidates }) => candidates.length,
  run: async ({ knowledge }, subject, { candidates, here }) => {
    const items = candidates.map(({ item }) => item);
    const [viewed, marked] = await Promise.all([
      subject.hasSeen('page', knowledge.items.ofAll('page', items)),
      subject.hasSeen('item', knowledge.items.ofAll('item', items)),
    ]);
    return candidates.filter(({ item }, i) => !viewed[i] && !marked[i] && item !== here).map(({ given }) => given);
  },
});
