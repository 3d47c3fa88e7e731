import { checkItem, checkList, parseJson } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';
import { wereSeen } from './were-seen.ts';

interface Candidate {
  /** As it came, and as it is given back. */
  readonly given: string;
  readonly item: string;
}

const EXPECTED = 'a JSON array of items';

/** Answers which of the given items this session has not seen, in their order. */
export const featuredpages: Handler<'featuredpages'> = makeHandler({
  parse: (payload) =>
    checkList(parseJson(payload, EXPECTED), EXPECTED).map(
      (given): Candidate => ({
        given: given as string,
        item: checkItem(given),
      }),
    ),
  run: async ({ data }, session, candidates) => {
    const seen = await wereSeen(
      data,
      session,
      candidates.map(({ item }) => item),
    );
    return candidates.filter((_, i) => !seen[i]).map(({ given }) => given);
  },
});
