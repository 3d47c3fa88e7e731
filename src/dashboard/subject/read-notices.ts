import {
  isUnread,
  type Knowledge,
  type ListedNotice,
  type ListName,
  NOTICE_STATES,
  type NoticeState,
  type SubjectReading,
} from '../../knowledge/index.ts';
import type { NoticeOfSubject } from './subject-data.ts';

/** The newest notices of each list that are shown on the page. */
const MOST_OF_LIST = 20;

/** Reads the notices of some lists and those to the subject alone, and what the subject did with them; the newest first. It
 *  joins no list and marks nothing, other than a page that shows notices to the subject. */
export async function readNotices(
  { notices: knownNotices, addressed }: Knowledge,
  subject: SubjectReading,
  names: readonly ListName[],
  now: number,
): Promise<{ readonly notices: NoticeOfSubject[]; readonly mutedLists: string[] }> {
  const { lists, states } = knownNotices;
  const [own, ...read] = await Promise.all([
    addressed.list({ subject: subject.name }),
    ...names.map((name) => lists.read(name)),
  ]);
  const known = await states.read(
    subject,
    read.map(({ hash }) => hash),
  );
  const found: { notice: ListedNotice; from: string; hidden: string | null }[] = own
    .slice(0, MOST_OF_LIST)
    .map((notice) => ({ notice, from: 'to this subject alone', hidden: hiddenByTime(notice, now) }));
  const mutedLists: string[] = [];
  for (const [i, { notices, joining }] of read.entries()) {
    const { kind, name } = names[i]!;
    const { isMuted, joinedAt } = known.of(i).states;
    if (isMuted) mutedLists.push(name);
    const isToJoin = joining === 'now' && !known.isKnown[i];
    for (const notice of notices.slice(0, MOST_OF_LIST)) {
      const isBefore = isToJoin || notice.at < joinedAt;
      const hidden = isMuted ? 'muted' : isBefore ? 'published before the subject met the list' : null;
      found.push({ notice, from: `${kind} ${name}`, hidden: hidden ?? hiddenByTime(notice, now) });
    }
  }
  const places = await lists.locate(found.map(({ notice }) => notice.id));
  const done = await knownNotices.statesOf(
    subject,
    found.map(({ notice }, i) => [notice.position, ...places[i]!]),
  );
  const all = found.map(({ notice, from, hidden }, i) => describe(notice, from, hidden, done[i]!));
  return { notices: all.sort((one, other) => other.at - one.at), mutedLists };
}

function describe(
  { id, title, text, at, expiresAt, group, segment }: ListedNotice,
  from: string,
  hidden: string | null,
  state: NoticeState,
): NoticeOfSubject {
  const isDismissed = state === NOTICE_STATES.dismissed;
  return {
    id,
    title: title ?? null,
    text,
    from,
    isOwn: group === undefined && segment === undefined,
    at,
    expiresAt: expiresAt ?? null,
    state: nameOf(state),
    hidden: isDismissed ? 'dismissed' : hidden,
  };
}

function hiddenByTime({ at, expiresAt }: ListedNotice, now: number): string | null {
  if (at > now) return 'still to come';
  return expiresAt !== undefined && expiresAt <= now ? 'expired' : null;
}

function nameOf(state: NoticeState): NoticeOfSubject['state'] {
  if (state === NOTICE_STATES.unseen) return 'unseen';
  if (state === NOTICE_STATES.seen) return 'seen';
  if (isUnread(state)) return 'unread again';
  return state === NOTICE_STATES.dismissed ? 'dismissed' : 'read';
}
