import { checkNoticeId, parseOneOrMany } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

/** Marks notices as read, of lists that the store or the application keeps. Answers with the marked ids. */
export const markNotificationSeen: Handler<'mark-notification-seen'> = makeHandler({
  parse: (payload) => {
    const given = parseOneOrMany(payload, 'an id, or a JSON array of ids');
    given.forEach(checkNoticeId);
    return given as (string | number)[];
  },
  run: async ({ knowledge }, { subject }, given, apply) => {
    if (given.length === 0) return given;
    const ids = given.map(checkNoticeId);
    const positions = await knowledge.noticeLists.locate(ids);
    const foreign = ids.filter((_, i) => positions[i]!.length === 0);
    await knowledge.markNotices(subject, positions.flat(), foreign, apply);
    return given;
  },
});
