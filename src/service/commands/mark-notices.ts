import { MARKS } from '../../knowledge/index.ts';
import { checkNoticesMark, decodePayload } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';
import { listsOf } from './lists-of.ts';

/** Marks notices as seen, read, unread or dismissed: some by their ids, or all that are shown of groups. Answers how many. */
export const markNotices: Handler<'mark-notices'> = makeHandler({
  parse: (payload) => checkNoticesMark(decodePayload(payload, '{"ids":[...],"as":"read"}')),
  items: (input) => ('ids' in input ? input.ids : input.groups).length,
  run: async (context, subject, input, apply) => {
    const { notices } = context.knowledge;
    const marked =
      'ids' in input
        ? await notices.markIds(subject, input.ids, MARKS[input.as], apply)
        : await notices.markAll(subject, await listsOf(context, subject, input.groups), MARKS[input.as], apply);
    return { as: input.as, marked };
  },
});
