import { MARKS } from '../../knowledge/index.ts';
import { checkNoticeId, parseOneOrMany } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

/** Marks notices as read, of lists that the store or the application keeps. Answers with the marked ids. */
export const markNotificationSeen: Handler<'mark-notification-seen'> = makeHandler({
  parse: (payload) => {
    const given = parseOneOrMany(payload, 'an id, or a JSON array of ids');
    given.forEach(checkNoticeId);
    return given as (string | number)[];
  },
  run: async ({ knowledge: { notices } }, subject, given, apply) => {
    await notices.markIds(subject, given.map(checkNoticeId), MARKS.read, apply);
    return given;
  },
});
