import {
  isUnread,
  type ListedNotice,
  MARKS,
  type NoticeView,
  publishedNotice,
  type ShownNotice,
} from '../../knowledge/index.ts';
import type { NoticeCounts, VisitorNotice } from '../../protocol/index.ts';
import { checkNoticesQuery, checkOfGroups, decodePayload } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';
import { listsOf } from './lists-of.ts';

/** Answers the notices that a visitor sees, the newest first, page by page, and how many are not seen or not read. */
export const notices: Handler<'notices'> = makeHandler({
  parse: (payload) => checkNoticesQuery(payload === '' ? '' : decodePayload(payload, '{"groups":[...]}')),
  items: ({ groups }) => groups.length,
  run: async (context, subject, { groups, unreadOnly, limit, before }) => {
    const { knowledge } = context;
    const view = await knowledge.notices.view(subject, await listsOf(context, subject, groups));
    const page: ShownNotice[] = [];
    let isMore = false;
    for (const shown of view.shown(before === undefined ? undefined : (notice) => isBefore(notice, before))) {
      if (unreadOnly && !isUnread(shown.state)) continue;
      isMore = page.length === limit;
      if (isMore) break;
      page.push(shown);
    }
    const muted = new Set(view.muted);
    return {
      notices: page.map(forVisitor),
      before: isMore ? cursorOf(page.at(-1)!) : null,
      muted: groups.filter((group) => muted.has(knowledge.items.of('group', group))),
      ...countsOf(view),
    };
  },
});

/** Answers how many notices a visitor has not seen, and not read. */
export const noticeCounts: Handler<'notice-counts'> = makeHandler({
  parse: (payload) => (payload === '' ? [] : checkOfGroups(decodePayload(payload, '{"groups":[...]}'))),
  items: (groups) => groups.length,
  run: async (context, subject, groups) =>
    countsOf(await context.knowledge.notices.view(subject, await listsOf(context, subject, groups))),
});

/** Counts what a visitor is shown. */
export function countsOf({ unseen, unread, changesAt }: NoticeView): NoticeCounts {
  return { unseen, unread, changesAt: changesAt ?? null };
}

function forVisitor({ notice, state }: ShownNotice): VisitorNotice {
  return { ...publishedNotice(notice), seen: state >= MARKS.seen, read: !isUnread(state) } as VisitorNotice;
}

// The order in which they are shown: the time from which on it is shown, then the id.
function cursorOf({ notice: { at, id } }: ShownNotice): string {
  return `${at} ${id}`;
}

function isBefore({ at, id }: ListedNotice, cursor: string): boolean {
  const space = cursor.indexOf(' ');
  const time = Number(cursor.slice(0, space));
  return at < time || (at === time && id < cursor.slice(space + 1));
}
