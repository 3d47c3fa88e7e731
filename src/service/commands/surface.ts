import { checkItem, checkList, parseJson } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

interface Candidate {
  /** As it came, and as it is given back. */
  readonly given: string;
  readonly item: string;
}

const EXPECTED = 'a JSON array of items';

/** Answers which of the given items this session has not seen, as a page that it viewed or as an item that was marked, in
 *  their order. */
export const surface: Handler<'surface'> = makeHandler({
  parse: (payload) =>
    checkList(parseJson(payload, EXPECTED), EXPECTED).map(
      (given): Candidate => ({
        given: given as string,
        item: checkItem(given),
      }),
    ),
  run: async ({ knowledge }, subject, candidates) => {
    const items = candidates.map(({ item }) => item);
    const [viewed, marked] = await Promise.all([
      subject.hasSeen('page', knowledge.items.ofAll('page', items)),
      subject.hasSeen('item', knowledge.items.ofAll('item', items)),
    ]);
    return candidates.filter((_, i) => !viewed[i] && !marked[i]).map(({ given }) => given);
  },
});
