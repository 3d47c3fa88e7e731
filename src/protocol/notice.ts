import { excerpt } from './item.ts';
import { MAX_ITEMS } from './limits.ts';
import { checkList, checkNoticeId, isObject } from './payload.ts';
import { ProtocolError } from './protocol-error.ts';
import { isSession } from './topic.ts';

/* notice.ts: the payloads of the commands about notices. The service checks by it what it is sent, and the client what it
 * sends. */

/** How much a notice matters; the page decides how it looks. */
export const NOTICE_SEVERITIES = ['info', 'success', 'warning', 'error'] as const;
/** One of `NOTICE_SEVERITIES`. */
export type NoticeSeverity = (typeof NOTICE_SEVERITIES)[number];

/** What can be done with a notice. `seen`: it was looked at, and the badge is cleared; `read`: it was read; `unread`: it is
 *  to be read again; `dismissed`: it is shown no more. */
export const NOTICE_MARKS = ['seen', 'read', 'unread', 'dismissed'] as const;
/** One of `NOTICE_MARKS`. */
export type NoticeMarkName = (typeof NOTICE_MARKS)[number];

/** The longest title and text of a notice, in characters, and its largest data, in characters of JSON. */
export const MAX_TITLE_CHARACTERS = 256;
export const MAX_TEXT_CHARACTERS = 4096;
export const MAX_DATA_CHARACTERS = 8192;
/** The most groups of one question. */
export const MAX_GROUPS = 100;
/** The most notices of one answer. */
export const MAX_NOTICES: number = MAX_ITEMS;
export const DEFAULT_NOTICES = 50;

/** Whom a notice is for: a group, by its name; those for whom a segment holds; or one session or person (`personOf`). */
export type NoticeAudience = { readonly group: string } | { readonly segment: string } | { readonly subject: string };

/** What can be changed of a notice. Times are milliseconds of the epoch. */
export interface NoticeFields {
  readonly text: string;
  readonly title?: string;
  readonly severity?: NoticeSeverity;
  /** Anything else that the page needs (a link); comes back as it is. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** From when on it is shown. Default: now. */
  readonly publishAt?: number;
  /** From when on it is shown no more. Default: never. */
  readonly expiresAt?: number;
}

/** The payload of `publish-notice`. */
export interface NoticeToPublish extends NoticeFields {
  readonly to: NoticeAudience;
  readonly id: string | number;
}

/** The payload of `edit-notice`: what is given is changed; null deletes a field. `to`: for a notice to one subject. */
export interface NoticeEdit {
  readonly id: string | number;
  readonly to?: { readonly subject: string };
  readonly text?: string;
  readonly title?: string | null;
  readonly severity?: NoticeSeverity | null;
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly publishAt?: number;
  readonly expiresAt?: number | null;
}

/** The payload of `notices`. */
export interface NoticesQuery {
  /** The groups to which the visitor belongs, besides those notices that are for the visitor alone. Default: none. */
  readonly groups?: readonly string[];
  /** Only those that are not read. Default false. */
  readonly unreadOnly?: boolean;
  /** Default 50, at most 1,000. */
  readonly limit?: number;
  /** The `before` of the answer whose next page it is. */
  readonly before?: string;
}

/** The payload of `mark-notices`: some by their ids, or all that are shown of the groups and of the visitor's own. */
export type NoticesMark = { readonly as: NoticeMarkName } & (
  | { readonly ids: readonly (string | number)[] }
  | { readonly groups: readonly string[] }
);

const GROUP = /^[A-Za-z0-9_.:@-]{1,128}$/;
// In 32 bits of seconds, in 2106.
const LAST_TIME = 2 ** 32 * 1_000 - 1;

/** Checks that a value is the name of a group or a segment.
 *  @throws ProtocolError `bad-payload`. */
export function checkGroupName(value: unknown, what = 'group'): string {
  if (typeof value === 'string' && GROUP.test(value)) return value;
  throw refused(`The ${what} ${excerpt(value)} cannot be used: give 1 to 128 of A-Z, a-z, 0-9 and _ . : @ -`);
}

/** Checks that a value is a list of at most 100 groups. Returns each once.
 *  @throws ProtocolError `bad-payload`. */
export function checkGroups(value: unknown): string[] {
  if (!Array.isArray(value) || value.length > MAX_GROUPS) {
    throw refused(`"groups" is ${excerpt(value)}: give an array of at most ${MAX_GROUPS} names.`);
  }
  return [...new Set(value.map((group) => checkGroupName(group)))];
}

/** Checks the payload of `notices`.
 *  @throws ProtocolError `bad-payload`. */
export function checkNoticesQuery(value: unknown): {
  groups: string[];
  unreadOnly: boolean;
  limit: number;
  before: string | undefined;
} {
  const given = value === '' ? {} : checkObject(value, '{"groups":[...],"unreadOnly":b,"limit":n,"before":"..."}');
  checkFields(given, ['groups', 'unreadOnly', 'limit', 'before']);
  const { groups = [], unreadOnly = false, limit = DEFAULT_NOTICES, before } = given;
  if (typeof unreadOnly !== 'boolean') throw refused(`"unreadOnly" is ${excerpt(unreadOnly)}: give true or false.`);
  if (before !== undefined && (typeof before !== 'string' || !/^\d{1,16} ./su.test(before))) {
    throw refused(`"before" is ${excerpt(before)}: give the "before" of an answer.`);
  }
  return { groups: checkGroups(groups), unreadOnly, limit: checkLimit(limit), before };
}

/** Checks the payload of `mark-notices`.
 *  @throws ProtocolError `bad-payload`, `too-large`. */
export function checkNoticesMark(
  value: unknown,
): { as: NoticeMarkName; ids: string[] } | { as: NoticeMarkName; groups: string[] } {
  const given = checkObject(value, '{"ids":[...],"as":"read"} or {"groups":[...],"as":"read"}');
  checkFields(given, ['ids', 'groups', 'as']);
  const as = checkOneOf(given.as, NOTICE_MARKS, 'as');
  if ((given.ids === undefined) === (given.groups === undefined))
    throw refused('Give "ids" or "groups", one of the two.');
  if (given.groups !== undefined) return { as, groups: checkGroups(given.groups) };
  return { as, ids: checkList(given.ids, 'an array of ids').map(checkNoticeId) };
}

/** Checks the payload of `publish-notice`.
 *  @throws ProtocolError `bad-payload`. */
export function checkNoticeToPublish(value: unknown): NoticeToPublish & { readonly id: string } {
  const given = checkObject(value, '{"to":{...},"id":"...","text":"..."}');
  checkFields(given, ['to', 'id', ...FIELDS]);
  const { text, ...fields } = checkNoticeFields(given, false);
  if (text === undefined) throw refused('"text" is missing.');
  const { publishAt, expiresAt } = fields as { publishAt?: number; expiresAt?: number };
  if (publishAt !== undefined && expiresAt !== undefined && expiresAt <= publishAt) {
    throw refused('"expiresAt" is not after "publishAt".');
  }
  return { to: checkAudience(given.to), id: checkNoticeId(given.id), text, ...fields } as NoticeToPublish & {
    id: string;
  };
}

/** Checks the payload of `edit-notice`.
 *  @throws ProtocolError `bad-payload`. */
export function checkNoticeEdit(value: unknown): NoticeEdit & { readonly id: string } {
  const given = checkObject(value, '{"id":"...","text":"..."}');
  checkFields(given, ['id', 'to', ...FIELDS]);
  return { ...checkNoticeFields(given, true), ...checkNoticeName(given) } as NoticeEdit & { readonly id: string };
}

/** Checks what names a notice: its id and, where it is for one subject alone, that subject.
 *  @throws ProtocolError `bad-payload`. */
export function checkNoticeName({ id, to }: Record<string, unknown>): {
  readonly id: string;
  readonly to?: { readonly subject: string };
} {
  if (to === undefined) return { id: checkNoticeId(id) };
  const audience = checkAudience(to);
  if (!('subject' in audience)) {
    throw refused('"to" names a list: a notice is changed in all lists at once. Leave "to" out, or give {"subject"}.');
  }
  return { id: checkNoticeId(id), to: audience };
}

/** Checks the payload of `withdraw-notice`.
 *  @throws ProtocolError `bad-payload`. */
export function checkWithdrawal(value: unknown): ReturnType<typeof checkNoticeName> {
  const given = checkObject(value, '{"id":"..."}');
  checkFields(given, ['id', 'to']);
  return checkNoticeName(given);
}

/** Checks the payload of `notice-counts` and `live`, and returns the groups.
 *  @throws ProtocolError `bad-payload`. */
export function checkOfGroups(value: unknown): string[] {
  const given = value === '' ? {} : checkObject(value, '{"groups":[...]}');
  checkFields(given, ['groups']);
  return checkGroups(given.groups ?? []);
}

/** Checks the payload of `mute-groups`.
 *  @throws ProtocolError `bad-payload`. */
export function checkMuting(value: unknown): { mute: string[]; unmute: string[] } {
  const given = checkObject(value, '{"mute":["..."],"unmute":["..."]}');
  checkFields(given, ['mute', 'unmute']);
  const [mute, unmute] = [checkGroups(given.mute ?? []), checkGroups(given.unmute ?? [])];
  const both = mute.find((group) => unmute.includes(group));
  if (both === undefined) return { mute, unmute };
  throw refused(`The group "${both}" is to be muted and un-muted: give it once.`);
}

/** Checks the payload of `list-notices`.
 *  @throws ProtocolError `bad-payload`. */
export function checkNoticesOf(value: unknown): { of: NoticeAudience; limit: number } {
  const given = checkObject(value, '{"of":{"group":"..."},"limit":n}');
  checkFields(given, ['of', 'limit']);
  const { limit = DEFAULT_NOTICES } = given;
  return { of: checkAudience(given.of, 'of'), limit: checkLimit(limit) };
}

/** Checks the payload of `set-group`.
 *  @throws ProtocolError `bad-payload`. */
export function checkGroupSetting(value: unknown): { group: string; join: 'all' | 'now' } {
  const given = checkObject(value, '{"group":"...","join":"now"}');
  checkFields(given, ['group', 'join']);
  return { group: checkGroupName(given.group), join: checkOneOf(given.join, ['all', 'now'], 'join') };
}

/** Checks whom a notice is for.
 *  @throws ProtocolError `bad-payload`. */
export function checkAudience(value: unknown, field = 'to'): NoticeAudience {
  const expected = '{"group":"..."}, {"segment":"..."} or {"subject":"..."}';
  const wrong = refused(`"${field}" is ${excerpt(value)}: give ${expected}.`);
  if (!isObject(value) || Object.keys(value).length !== 1) throw wrong;
  if ('group' in value) return { group: checkGroupName(value.group) };
  if ('segment' in value) return { segment: checkGroupName(value.segment, 'segment') };
  if (typeof value.subject === 'string' && isSession(value.subject)) return { subject: value.subject };
  throw wrong;
}

/** Checks that all fields of an object are known: a field that is misspelt would be lost silently.
 *  @throws ProtocolError `bad-payload`. */
export function checkFields(given: Record<string, unknown>, known: readonly string[]): void {
  const other = Object.keys(given).find((name) => !known.includes(name));
  if (other !== undefined) throw refused(`There is no field ${excerpt(other)}: give ${known.join(', ')}.`);
}

/** Checks that a value is an object.
 *  @throws ProtocolError `bad-payload`. */
export function checkObject(value: unknown, expected: string): Record<string, unknown> {
  if (isObject(value)) return value;
  throw refused(`The payload ${excerpt(value)} is no object: give ${expected}.`);
}

const FIELDS = ['text', 'title', 'severity', 'data', 'publishAt', 'expiresAt'];

function checkNoticeFields(given: Record<string, unknown>, isEdit: boolean): Record<string, unknown> {
  const checked: Record<string, unknown> = {};
  const check = (name: string, read: (value: unknown) => unknown, mayBeNull: boolean): void => {
    const value = given[name];
    if (value === undefined) return;
    checked[name] = value === null && isEdit && mayBeNull ? null : read(value);
  };
  check('text', (value) => checkText(value, 'text', MAX_TEXT_CHARACTERS), false);
  check('title', (value) => checkText(value, 'title', MAX_TITLE_CHARACTERS), true);
  check('severity', (value) => checkOneOf(value, NOTICE_SEVERITIES, 'severity'), true);
  check('data', checkData, true);
  check('publishAt', (value) => checkMoment(value, 'publishAt'), false);
  check('expiresAt', (value) => checkMoment(value, 'expiresAt'), true);
  return checked;
}

function checkLimit(value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_NOTICES) return value as number;
  throw refused(`"limit" is ${excerpt(value)}: give a whole number from 1 to ${MAX_NOTICES}.`);
}

function checkText(value: unknown, name: string, most: number): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= most) return value;
  throw refused(`"${name}" is ${excerpt(value)}: give a text of 1 to ${most} characters.`);
}

function checkData(value: unknown): unknown {
  if (isObject(value) && JSON.stringify(value).length <= MAX_DATA_CHARACTERS) return value;
  throw refused(`"data" is ${excerpt(value)}: give an object of at most ${MAX_DATA_CHARACTERS} characters of JSON.`);
}

function checkMoment(value: unknown, name: string): number {
  if (Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= LAST_TIME) return value as number;
  throw refused(`"${name}" is ${excerpt(value)}: give milliseconds of the epoch, up to the year 2106.`);
}

function checkOneOf<Name extends string>(value: unknown, names: readonly Name[], field: string): Name {
  const name = names.find((each) => each === value);
  if (name !== undefined) return name;
  throw refused(`"${field}" is ${excerpt(value)}: give ${names.join(', ')}.`);
}

function refused(why: string): ProtocolError {
  return new ProtocolError('bad-payload', why);
}
