import type { NoticeSeverity } from '../../protocol/index.ts';
import type { ItemHash } from '../item-hash.ts';

/* notice.ts: a notice as the store keeps it. */

/** The most numbers of one list: what is older is dropped. The states of subjects cover as many: it is part of the format. */
export const NOTICE_CAP = 1000;

/** A notice as it was published. Times are milliseconds of the epoch by Redis's clock. */
export interface StoredNotice {
  readonly id: string;
  readonly text: string;
  readonly title?: string;
  readonly severity?: NoticeSeverity;
  /** Anything else that the page needs (a link); comes back as it is. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A notice as it stands in an entry of a list. */
interface EntryNotice extends StoredNotice {
  /** How many lists held its id when it was published to the last of them; undefined: this one. What a subject did with it
   *  may then stand in another list. */
  readonly lists?: number;
}

/** A notice in a list. */
export interface ListedNotice extends EntryNotice {
  /** From when on it is shown. */
  readonly at: number;
  /** From when on it is shown no more; undefined: never. */
  readonly expiresAt?: number;
  /** The group, or the segment, by its name; undefined for a notice to one subject. */
  readonly group?: string;
  readonly segment?: string;
  readonly position: NoticePosition;
}

/** Where a notice is. */
export interface NoticePosition {
  /** The hash of the list's name: lists are named by it, so that no key shows a name. */
  readonly list: ItemHash;
  readonly sequence: number;
}

/** When a subject that meets a list for the first time begins to see it: the whole list, or what is published from then on. */
export type Joining = 'all' | 'now';

/** An entry of a list: "<shown from> <until or 0> <hash of the id> <JSON>". */
export function encodeEntry(notice: EntryNotice, noticeHash: ItemHash, at: number, expiresAt: number): string {
  const { id, text, title, severity, data, lists } = notice;
  return `${at} ${expiresAt} ${noticeHash} ${JSON.stringify({ id, text, title, severity, data, lists })}`;
}

/** Reads an entry of a list. */
export function decodeEntry(entry: string): EntryNotice & { readonly at: number; readonly expiresAt?: number } {
  const [, at, expiresAt, json] = /^(\d+) (\d+) \d+ (.*)$/s.exec(entry)!;
  const until = Number(expiresAt);
  return { ...(JSON.parse(json!) as EntryNotice), at: Number(at), ...(until > 0 && { expiresAt: until }) };
}

/** A notice of a list as it was published, without what only the store needs to know. */
export function publishedNotice({
  position: _,
  lists: __,
  ...notice
}: ListedNotice): Omit<ListedNotice, 'position' | 'lists'> {
  return notice;
}

/** An entry with the number of lists that hold its notice, as it is where it says as many already: of two that publish at
 *  once the later may be told first. */
export function entryInLists(entry: string, noticeHash: ItemHash, lists: number): string {
  const { at, expiresAt = 0, ...notice } = decodeEntry(entry);
  return (notice.lists ?? 1) >= lists ? entry : encodeEntry({ ...notice, lists }, noticeHash, at, expiresAt);
}

/** Orders by the time from which on notices are shown, the newest first; of the same time by their ids, so that a page that
 *  follows another begins where that one ended. */
export function byAge(a: ListedNotice, b: ListedNotice): number {
  return b.at - a.at || (a.id === b.id ? 0 : a.id < b.id ? 1 : -1);
}

/** Whether a notice is shown at a time. `earliest`: the time that it may be yet, where clocks differ; default: the same. */
export function isShown(
  { at, expiresAt }: Pick<ListedNotice, 'at' | 'expiresAt'>,
  now: number,
  earliest: number = now,
): boolean {
  return at <= now && (expiresAt === undefined || earliest < expiresAt);
}
