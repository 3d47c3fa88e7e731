import type {
  NoticeAudience,
  NoticeEdit,
  NoticeMarkName,
  NoticeSeverity,
  NoticesMark,
  NoticesQuery,
  NoticeToPublish,
} from './notice.ts';
import type { RefusedRobots } from './robots.ts';
import type { ExplainedSuggestions, SegmentsQuery, Suggestion, SuggestionsQuery } from './suggestion.ts';
import type { SuggestionsMark, TrackPayload, TrackReply } from './track.ts';

/* commands.ts: the commands of protocol v1, once: `CommandMap` says what each takes and answers, the table `COMMANDS` how it
 * is sent. All lists and types of names follow from these two, and the compiler keeps them complete. How a command is
 * served stands under service/commands, in a file of its own name. */

/** The answer to `pageview`: everything as it was before this view, but for the two counts. */
export interface PageviewReply {
  /** All views of this session, this one included. */
  totalPages: number;
  /** Different pages, this one included: exact while few, then an estimate (HyperLogLog, standard error 0.81 %). */
  uniquePages: number;
  /** Whether this page was seen before. */
  previouslyVisited: boolean;
  /** Whether this minute was active already: a view, or an `active`. */
  activityThisMinute: boolean;
  /** The minutes T-5 to T-1: 1 where they were active. */
  activity: (0 | 1)[];
  /** No view before this one. */
  newToSite: boolean;
  /** Not new, and neither this minute nor one of the five before was active. */
  inactive: boolean;
}

/** The answer to `session-analytics`: the figures of `pageview`, without counting a view. Where a page was given (`here`),
 *  the two counts have it counted in. */
export interface AnalyticsReply {
  totalPages: number;
  uniquePages: number;
  activityThisMinute: boolean;
  activity: (0 | 1)[];
  newToSite: boolean;
  inactive: boolean;
  /** Minutes with at least one view, or an `active`. */
  activeMinutes: number;
  /** The first of them, in milliseconds of the epoch; null where there is none. */
  firstActiveMinute: number | null;
  /** Whether the page `here` was seen before; only where it was given. */
  previouslyVisited?: boolean;
}

/** The answer to `identify`. */
export interface IdentifyReply {
  /** The session whose knowledge is the person's now. */
  from: string;
  merged: true;
}

/** The answer to `active`. */
export interface ActiveReply {
  /** Whether the minute is an active one now; false where there was no view yet, to which it could belong. */
  active: boolean;
}

/** One entry of `notifications`; the fields that came with the id come back with it. */
export interface Notification {
  id: string | number;
  seen: boolean;
  [field: string]: unknown;
}

/** A notice of a list that the store keeps. Times are milliseconds of the epoch. */
export interface Notice {
  id: string;
  text: string;
  title?: string;
  severity?: NoticeSeverity;
  data?: Record<string, unknown>;
  /** From when on it is shown. */
  at: number;
  expiresAt?: number;
  /** The group or the segment that it is for; neither for a notice to one subject. */
  group?: string;
  segment?: string;
}

/** A notice as a visitor sees it. */
export interface VisitorNotice extends Notice {
  /** Whether it was looked at. */
  seen: boolean;
  /** Whether it was read. */
  read: boolean;
}

/** How many notices a visitor has. */
export interface NoticeCounts {
  /** Not looked at yet: what a badge shows. */
  unseen: number;
  /** Not read yet. */
  unread: number;
  /** When the next one begins or ends to be shown, in milliseconds of the epoch; null: none does. */
  changesAt: number | null;
}

/** The answer to `notices`. The counts are of all that are shown, not of this page of them. */
export interface NoticesReply extends NoticeCounts {
  /** The newest first. */
  notices: VisitorNotice[];
  /** Asks for those before, as `before`; null where there are none. */
  before: string | null;
  /** Those of the asked groups that the visitor has muted. */
  muted: string[];
}

/** The answer to `live`. */
export interface LiveReply extends NoticeCounts {
  /** By which the stream of events names the visitor. */
  topic: string;
  /** By which it names the lists that the visitor sees, each with its group or segment: the stream holds no names. */
  lists: LiveList[];
}

/** A list, and the topic by which the stream of events names it. */
export type LiveList = { topic: string } & ({ group: string } | { segment: string });

/** How many subjects a notice reached, as estimates. */
export interface NoticeStats {
  id: string | number;
  seen: number;
  read: number;
}

/** Payload of a page view; `at` (milliseconds of the epoch) counts only if the service accepts times. `once`: a name of this
 *  view, 1 to 32 letters, digits, `_` and `-`; a view of that name that comes again within a minute does not count. */
export type PageviewPayload = string | { path: string; at?: number; once?: string };

/** Payload of `active`: nothing, or the time, as with a page view. */
export type ActivePayload = '' | { at: number };

/** Asks for the figures as a view of the page `here` would answer them: before that view, but with it in the two counts. */
export interface AnalyticsQuery {
  here: string;
}

/** Asks which items are new to a session while it looks at the page `here`, which counts as seen. */
export interface SurfaceQuery {
  items: readonly string[];
  here?: string;
}

/** A question of `together`: its command and its payload. */
export type TogetherPart = readonly [command: CommandName, payload: unknown];

/** Payload and reply of each command, by its name. */
export interface CommandMap {
  pageview: { payload: PageviewPayload; reply: PageviewReply };
  'session-analytics': { payload: '' | AnalyticsQuery; reply: AnalyticsReply };
  /** With `explain` the reply says why, for each rule. */
  combo: { payload: string | SuggestionsQuery; reply: Suggestion[] | ExplainedSuggestions };
  /** Of each segment whether it holds. */
  segments: { payload: '' | SegmentsQuery; reply: Record<string, boolean> };
  surface: { payload: readonly string[] | SurfaceQuery; reply: string[] };
  featuredpages: CommandMap['surface'];
  notifications: {
    payload: readonly (string | number | { id: string | number; [field: string]: unknown })[];
    reply: Notification[];
  };
  notices: { payload: '' | NoticesQuery; reply: NoticesReply };
  'notice-counts': { payload: '' | { groups: readonly string[] }; reply: NoticeCounts };
  'mark-notices': { payload: NoticesMark; reply: { as: NoticeMarkName; marked: number } };
  'mute-groups': {
    payload: { mute?: readonly string[]; unmute?: readonly string[] };
    reply: { muted: string[]; unmuted: string[] };
  };
  'publish-notice': { payload: NoticeToPublish; reply: { id: string | number; isNew: boolean; at: number } };
  'edit-notice': { payload: NoticeEdit; reply: { id: string | number; lists: number } };
  'withdraw-notice': {
    payload: { id: string | number; to?: { subject: string } };
    reply: { id: string | number; lists: number };
  };
  'list-notices': { payload: { of: NoticeAudience; limit?: number }; reply: Notice[] };
  'notice-stats': { payload: readonly (string | number)[]; reply: NoticeStats[] };
  live: { payload: '' | { groups: readonly string[] }; reply: LiveReply };
  'set-group': { payload: { group: string; join: 'all' | 'now' }; reply: { group: string; join: 'all' | 'now' } };
  'mark-notification-seen': { payload: string | readonly (string | number)[]; reply: (string | number)[] };
  'mark-item-seen': { payload: string | readonly string[]; reply: string[] };
  /** Notes that something happened. */
  track: { payload: TrackPayload; reply: TrackReply };
  /** Notes what the visitor did with suggestions. */
  'mark-suggestions': { payload: SuggestionsMark; reply: SuggestionsMark };
  active: { payload: ActivePayload; reply: ActiveReply };
  /** Asked as nobody: the id is one of the serving process. */
  robots: { payload: RefusedRobots; reply: RefusedRobots };
  /** Asked as a person (`personOf`): merges what is known of a session into what is known of the person. */
  identify: { payload: string; reply: IdentifyReply };
  /** Of each part the reply of its command, or `{ error: { code, message } }`. */
  together: { payload: readonly TogetherPart[]; reply: unknown[] };
}

/** How the client sends a command. */
interface CommandTraits {
  /** Whether it changes data. Then it is sent even if no page waits for its answer. */
  readonly writes: boolean;
  /** Whether it must not be dropped silently, because the visitor will not repeat the action. Page views are analytics:
   *  if there is no room for one, it is counted and dropped. */
  readonly mustKeep: boolean;
}

/** Each name of the wire: its traits, or the command that it is another name of. */
export const COMMANDS = {
  pageview: { writes: true, mustKeep: false },
  // A lost one is a minute less in a sum.
  active: { writes: true, mustKeep: false },
  'session-analytics': { writes: false, mustKeep: false },
  combo: { writes: false, mustKeep: false },
  segments: { writes: false, mustKeep: false },
  surface: { writes: false, mustKeep: false },
  // The name of the white paper.
  featuredpages: { aliasOf: 'surface' },
  notifications: { writes: false, mustKeep: false },
  notices: { writes: false, mustKeep: false },
  'notice-counts': { writes: false, mustKeep: false },
  'mark-notices': { writes: true, mustKeep: true },
  'mute-groups': { writes: true, mustKeep: true },
  // What writes to lists travels as a question does: asked again, it does nothing more.
  'publish-notice': { writes: false, mustKeep: false },
  'edit-notice': { writes: false, mustKeep: false },
  'withdraw-notice': { writes: false, mustKeep: false },
  'set-group': { writes: false, mustKeep: false },
  live: { writes: false, mustKeep: false },
  'list-notices': { writes: false, mustKeep: false },
  'notice-stats': { writes: false, mustKeep: false },
  'mark-notification-seen': { writes: true, mustKeep: true },
  'mark-item-seen': { writes: true, mustKeep: true },
  track: { writes: true, mustKeep: true },
  // Of a lost one a suggestion is shown once more.
  'mark-suggestions': { writes: true, mustKeep: true },
  // A lost one is a second less in a sum.
  robots: { writes: true, mustKeep: false },
  // Travels as a question does: asked again, it does nothing.
  identify: { writes: false, mustKeep: false },
  // Counts a view only where its first part is one.
  together: { writes: false, mustKeep: false },
} as const;

/** A name that a command has on the wire, aliases included. */
export type CommandName = keyof typeof COMMANDS;

/** A command by its first name: no alias. */
export type CanonicalCommand = {
  [Name in CommandName]: (typeof COMMANDS)[Name] extends CommandTraits ? Name : never;
}[CommandName];

// The compiler reports a command of `CommandMap` that has no row.
const TABLE: Readonly<Record<keyof CommandMap, CommandTraits | { readonly aliasOf: CanonicalCommand }>> = COMMANDS;

/** All names of the wire, aliases included. */
export const COMMAND_NAMES: readonly CommandName[] = Object.keys(TABLE) as CommandName[];

/** All commands, each by its first name. */
export const CANONICAL_COMMANDS: readonly CanonicalCommand[] = COMMAND_NAMES.filter(isCanonical);

/** Whether protocol v1 has a command of this name. */
export function isKnownCommand(command: string): command is CommandName {
  return Object.hasOwn(COMMANDS, command);
}

/** The first name of a command. A name that protocol v1 does not know is its own: a newer version may know it. */
export function canonicalCommand(name: CommandName): CanonicalCommand;
export function canonicalCommand(name: string): string;
export function canonicalCommand(name: string): string {
  if (!isKnownCommand(name)) return name;
  const row = TABLE[name];
  return 'aliasOf' in row ? row.aliasOf : name;
}

/** Whether a command changes something. False for a name that is not known. */
export function isWriting(command: string): boolean {
  return traitsOf(command)?.writes ?? false;
}

/** Whether a command only asks, and so may be a part of `together`. */
export function isQuestion(command: string): boolean {
  return traitsOf(command)?.writes === false && command !== 'together';
}

/** Whether a command must not be dropped silently. False for a name that is not known. */
export function mustKeep(command: string): boolean {
  return traitsOf(command)?.mustKeep ?? false;
}

function traitsOf(command: string): CommandTraits | undefined {
  return isKnownCommand(command) ? COMMANDS[canonicalCommand(command)] : undefined;
}

function isCanonical(name: CommandName): name is CanonicalCommand {
  return !('aliasOf' in TABLE[name]);
}

/** A payload as it travels: strings verbatim, everything else as JSON. */
export function encodePayload(payload: unknown): string {
  return typeof payload === 'string' ? payload : JSON.stringify(payload);
}
