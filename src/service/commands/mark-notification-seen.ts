import { checkNoticeId, parseOneOrMany } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

/** Marks notices as read, wherever their list is kept. Answers what was marked. */
export const markNotificationSeen: Handler<'mark-notification-seen'> = makeHandler({
  parse: (payload) => {
    const given = parseOneOrMany(payload, 'an id, or a JSON array of ids');
    given.forEach(checkNoticeId);
    return given as (string | number)[];
  },
  run: async ({ data }, session, given, apply) => {
    if (given.length === 0) return given;
    const ids = given.map(checkNoticeId);
    const places = await data.noticeLists.locate(ids);
    const foreign = ids.filter((_, i) => places[i]!.length === 0);
    await apply(data.readNotices.marking(session, places.flat(), foreign, data.retention.seconds));
    return given;
  },
});
