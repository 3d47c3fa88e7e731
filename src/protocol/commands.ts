/* commands.ts: what each command of protocol v1 takes and answers, as types. The words of the wire stand here once;
 * how a command is served stands under service/commands, in a file of its own name. */

/** The answer to `pageview`: everything as it was before this view, but for the two counts. */
export interface PageviewReply {
  /** All views of this session, this one included. */
  totalPages: number;
  /** Different pages, this one included: exact while few, then an estimate (HyperLogLog, standard error 0.81 %). */
  uniquePages: number;
  /** Whether this page was seen before. */
  previouslyVisited: boolean;
  /** Whether this minute already had a view. */
  activityThisMinute: boolean;
  /** The minutes T-5 to T-1: 1 where there was a view. */
  activity: (0 | 1)[];
  /** No view before this one. */
  newToSite: boolean;
  /** Not new, and neither this minute nor one of the five before had a view. */
  inactive: boolean;
}

/** The answer to `session-analytics`: what `pageview` tells, without counting a view. */
export interface AnalyticsReply {
  totalPages: number;
  uniquePages: number;
  activityThisMinute: boolean;
  activity: (0 | 1)[];
  newToSite: boolean;
  inactive: boolean;
  /** Minutes with at least one view, over all days that are kept. */
  activeMinutes: number;
  /** The first of them, in milliseconds of the epoch; null where there is none. */
  firstActiveMinute: number | null;
}

/** A rule that holds now. */
export interface Suggestion {
  combo: string;
  suggest: string;
  /** The items that made it hold. */
  because: string[];
  reason: string;
}

/** One entry of `notifications`; the fields that came with the id come back with it. */
export interface Notification {
  id: string | number;
  seen: boolean;
  [field: string]: unknown;
}

/** Asks for the newest entries of lists that the store keeps. */
export interface GroupQuery {
  groups: string[];
  /** Default 50, at most 1,000. */
  limit?: number;
}

/** What a page view says; `at` (milliseconds of the epoch) counts only where the service accepts times. */
export type PageviewPayload = string | { path: string; at?: number };

/** Command name -> what it takes and what it answers. */
export interface CommandMap {
  pageview: { payload: PageviewPayload; reply: PageviewReply };
  'session-analytics': { payload: ''; reply: AnalyticsReply };
  combo: { payload: string; reply: Suggestion[] };
  featuredpages: { payload: readonly string[]; reply: string[] };
  surface: { payload: readonly string[]; reply: string[] };
  notifications: {
    payload: readonly (string | number | { id: string | number; [field: string]: unknown })[] | GroupQuery;
    reply: Notification[];
  };
  'mark-notification-seen': { payload: string | readonly (string | number)[]; reply: (string | number)[] };
  'mark-item-seen': { payload: string | readonly string[]; reply: string[] };
}

/** The names of protocol v1. */
export type CommandName = keyof CommandMap;

const KNOWN: Readonly<Record<CommandName, true>> = {
  pageview: true,
  'session-analytics': true,
  combo: true,
  featuredpages: true,
  surface: true,
  notifications: true,
  'mark-notification-seen': true,
  'mark-item-seen': true,
};

/** Whether protocol v1 has a command of this name. */
export function isKnownCommand(command: string): command is CommandName {
  return Object.hasOwn(KNOWN, command);
}

const WRITING: readonly string[] = ['pageview', 'mark-notification-seen', 'mark-item-seen'];

/** Whether a command changes something, so that sending it makes sense even where nobody waits for its answer. */
export function isWriting(command: string): boolean {
  return WRITING.includes(command);
}

const MUST_KEEP: readonly string[] = ['mark-notification-seen', 'mark-item-seen'];

/** Whether a command says what somebody did once and will not do again, so that it must not be dropped silently. Views
 *  are analytics: one that finds no room is counted and let go. */
export function mustKeep(command: string): boolean {
  return MUST_KEEP.includes(command);
}

/** A payload as it travels: strings verbatim, everything else as JSON. */
export function encodePayload(payload: unknown): string {
  return typeof payload === 'string' ? payload : JSON.stringify(payload);
}
