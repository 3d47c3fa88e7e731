import type {
  CommandMap,
  LiveReply,
  Notice,
  NoticeCounts,
  NoticeStats,
  NoticesReply,
  VisitorNotice,
} from '../protocol/index.ts';
import { isObject } from '../protocol/internal/index.ts';
import { checkEach, checkForm, type Form, isBoolean, isCount, isText, malformed } from './reply-forms.ts';

/* notice-reply-forms.ts: whether a reply about notices has the form of docs/protocol.md. */

const mayLack =
  (isRight: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || isRight(value);
const isList = (value: unknown): boolean => Array.isArray(value);
const isTime = (value: unknown): boolean => value === null || isCount(value);

const COUNTS: Form<NoticeCounts> = { unseen: isCount, unread: isCount, changesAt: isTime };
const NOTICES: Form<NoticesReply> = {
  ...COUNTS,
  notices: isList,
  before: (value) => value === null || isText(value),
  muted: (value) => Array.isArray(value) && value.every(isText),
};
const LISTED = { id: isText, text: isText, at: isCount } as Form<Notice>;
const SHOWN = { ...LISTED, seen: isBoolean, read: isBoolean } as Form<VisitorNotice>;
const OPTIONAL: Readonly<Record<string, (value: unknown) => boolean>> = {
  title: mayLack(isText),
  severity: mayLack(isText),
  data: mayLack(isObject),
  expiresAt: mayLack(isCount),
  group: mayLack(isText),
  segment: mayLack(isText),
};

/** Checks the reply of `notices`.
 *  @throws MalformedReplyError */
export function checkNotices(reply: unknown): NoticesReply {
  const checked = checkForm(reply, NOTICES);
  for (const notice of checkEach(checked.notices, SHOWN)) checkOptional(notice);
  return checked;
}

/** Checks the reply of `notice-counts`.
 *  @throws MalformedReplyError */
export function checkCounts(reply: unknown): NoticeCounts {
  return checkForm(reply, COUNTS);
}

/** Checks the reply of `live`.
 *  @throws MalformedReplyError */
export function checkLive(reply: unknown): LiveReply {
  const areLists = (value: unknown): boolean => Array.isArray(value) && value.every(isLiveList);
  return checkForm<LiveReply>(reply, { ...COUNTS, topic: isText, lists: areLists });
}

/** Checks the reply of `mark-notices`.
 *  @throws MalformedReplyError */
export function checkMarked(reply: unknown, as: string): CommandMap['mark-notices']['reply'] {
  return checkForm<CommandMap['mark-notices']['reply']>(reply, { as: (value) => value === as, marked: isCount });
}

/** Checks the reply of `mute-groups`.
 *  @throws MalformedReplyError */
export function checkMuted(reply: unknown): CommandMap['mute-groups']['reply'] {
  return checkForm<CommandMap['mute-groups']['reply']>(reply, { muted: isList, unmuted: isList });
}

/** Checks the reply of `publish-notice`.
 *  @throws MalformedReplyError */
export function checkPublished(reply: unknown, id: unknown): CommandMap['publish-notice']['reply'] {
  const form = { id: (value: unknown) => value === id, isNew: isBoolean, at: isCount };
  return checkForm<CommandMap['publish-notice']['reply']>(reply, form);
}

/** Checks the reply of `edit-notice` and `withdraw-notice`.
 *  @throws MalformedReplyError */
export function checkEdited(reply: unknown, id: unknown): CommandMap['edit-notice']['reply'] {
  return checkForm<CommandMap['edit-notice']['reply']>(reply, { id: (value) => value === id, lists: isCount });
}

/** Checks the reply of `list-notices`.
 *  @throws MalformedReplyError */
export function checkListed(reply: unknown): Notice[] {
  const notices = checkEach(reply, LISTED);
  for (const notice of notices) checkOptional(notice);
  return notices;
}

/** Checks the reply of `notice-stats`.
 *  @throws MalformedReplyError */
export function checkStats(reply: unknown, ids: readonly unknown[]): NoticeStats[] {
  const stats = checkEach<NoticeStats>(reply, { id: (value) => ids.includes(value), seen: isCount, read: isCount });
  if (stats.length !== ids.length) throw malformed('it has not a figure for each notice');
  return stats;
}

/** Checks the reply of `set-group`.
 *  @throws MalformedReplyError */
export function checkGroupSet(
  reply: unknown,
  { group, join }: CommandMap['set-group']['payload'],
): CommandMap['set-group']['reply'] {
  const form = { group: (value: unknown) => value === group, join: (value: unknown) => value === join };
  return checkForm<CommandMap['set-group']['reply']>(reply, form);
}

function isLiveList(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { topic, group, segment } = value as Partial<Record<'topic' | 'group' | 'segment', unknown>>;
  return isText(topic) && isText(group ?? segment);
}

function checkOptional(notice: object): void {
  for (const [field, isRight] of Object.entries(OPTIONAL)) {
    if (!isRight((notice as Record<string, unknown>)[field])) throw malformed(`"${field}" of a notice is wrong`);
  }
}
