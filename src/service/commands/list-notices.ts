import { type ListedNotice, publishedNotice } from '../../knowledge/index.ts';
import type { Notice } from '../../protocol/index.ts';
import {
  checkGroupSetting,
  checkList,
  checkNoticeId,
  checkNoticesOf,
  decodePayload,
} from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

/* list-notices.ts: what those ask who write notices. */

/** Answers the newest notices of a list, also those that are still to come or have expired. */
export const listNotices: Handler<'list-notices'> = makeHandler({
  parse: (payload) => checkNoticesOf(decodePayload(payload, '{"of":{"group":"..."},"limit":n}')),
  run: async ({ knowledge }, _, { of, limit }) => (await knowledge.addressed.list(of)).slice(0, limit).map(published),
});

/** Answers how many subjects have seen and read notices. */
export const noticeStats: Handler<'notice-stats'> = makeHandler({
  parse: (payload) =>
    checkList(decodePayload(payload, 'a JSON array of ids'), 'a JSON array of ids').map((id) => {
      checkNoticeId(id);
      return id as string | number;
    }),
  items: (ids) => ids.length,
  run: async ({ knowledge }, _, ids) => {
    const stats = await knowledge.notices.reach.read(ids.map(checkNoticeId));
    return ids.map((id, i) => ({ id, ...stats[i]! }));
  },
});

/** Says how those who meet a group begin to see its list. */
export const setGroup: Handler<'set-group'> = makeHandler({
  parse: (payload) => checkGroupSetting(decodePayload(payload, '{"group":"...","join":"now"}')),
  run: async ({ knowledge }, _, { group, join }) => {
    await knowledge.notices.lists.setJoining({ kind: 'group', name: group }, join);
    return { group, join };
  },
});

function published(notice: ListedNotice): Notice {
  return publishedNotice(notice) as Notice;
}
