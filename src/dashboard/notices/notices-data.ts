import type { NoticeSeverity } from '../../protocol/index.ts';

/* notices-data.ts: what the page of notices shows. Times are milliseconds of the epoch. */

/** Where a notice stands. */
export type ListOfNotices = { readonly group: string } | { readonly segment: string } | { readonly subject: string };

/** A notice, with how many have seen and read it: estimates, standard error 0.81 %. */
export interface NoticeOfList {
  readonly id: string;
  readonly title: string | null;
  readonly text: string;
  readonly severity: NoticeSeverity | null;
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly at: number;
  readonly expiresAt: number | null;
  readonly state: 'scheduled' | 'shown' | 'expired';
  readonly seen: number;
  readonly read: number;
}

/** A list that the page shows. */
export interface ShownList {
  readonly of: ListOfNotices;
  /** The newest. */
  readonly notices: readonly NoticeOfList[];
  /** How many there are in all. */
  readonly count: number;
}

/** When subjects saw and read a notice. */
export interface ReachOfNotice {
  readonly id: string;
  /** Hours in which somebody did for the first time, of the last five weeks, ascending. */
  readonly hours: readonly { readonly at: number; readonly seen: number; readonly read: number }[];
}

/** Notices, as the page shows them. */
export interface NoticesData {
  readonly now: number;
  readonly lists: readonly ShownList[];
  /** Lists to which was published last, the newest first: to offer them. */
  readonly lastLists: readonly ListOfNotices[];
  /** The segments of the rules; empty where these are not known. */
  readonly segments: readonly string[];
  /** Of the notice that the page asks about. */
  readonly reach: ReachOfNotice | null;
}
