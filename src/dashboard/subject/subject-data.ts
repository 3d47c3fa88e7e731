import type { Explanation } from '../../protocol/index.ts';

/* subject-data.ts: what the page of a subject shows. Times are milliseconds of the epoch. It holds no user id, no token and no
 * name that neither the rules nor the notices have. */

/** A day of UTC with activity. */
export interface ActiveDay {
  /** `2026-11-22`. */
  readonly day: string;
  /** Active minutes of the day. */
  readonly minutes: number;
  /** Active minutes of each hour of UTC: 24 numbers from 0 to 60. */
  readonly hours: readonly number[];
}

/** How often something happened. */
export interface Counter {
  readonly kind: 'event' | 'cluster' | 'suggestion';
  /** As the rules have it; null where they do not name it: names stand encrypted in the store. */
  readonly name: string | null;
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

/** A rule that suggests, or does not, and why. */
export interface ExplainedSuggestion {
  readonly rule: string;
  readonly suggest: string;
  readonly reason: string;
  readonly suggested: boolean;
  /** In words: `not suggested, although it holds: was shown once, 1 at most`. */
  readonly outcome: string;
  readonly explanation: Explanation;
}

/** A segment, and why it holds or does not. */
export interface ExplainedSegment {
  readonly segment: string;
  readonly explanation: Explanation;
}

/** A notice as it concerns the subject. */
export interface NoticeOfSubject {
  readonly id: string;
  readonly title: string | null;
  readonly text: string;
  /** `to this subject alone`, or the name of its list. */
  readonly from: string;
  readonly isOwn: boolean;
  readonly at: number;
  readonly expiresAt: number | null;
  /** What the subject did with it. */
  readonly state: 'unseen' | 'seen' | 'read' | 'dismissed' | 'unread again';
  /** Whether the subject is shown it now; else why not. */
  readonly hidden: string | null;
}

/** A browser or app in which the user of the subject is logged in. */
export interface Device {
  readonly session: string;
  readonly label: string | null;
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
  readonly expiresAt: number;
  /** Whether it is the session that the page is about. */
  readonly isThis: boolean;
}

/** The devices, or why they are not known. */
export interface Devices {
  readonly list: readonly Device[];
  readonly problem: string | null;
}

/** A subject, as the page shows it. */
export interface SubjectData {
  /** The id on the wire; null: nobody was asked about. */
  readonly subject: string | null;
  readonly now: number;
  readonly found?: {
    readonly kind: 'session' | 'person';
    readonly isKnown: boolean;
    /** Of a session, whether it has session data; null for a person. */
    readonly sessionState: 'living' | 'ended' | 'none' | null;
    readonly expiresInSeconds: number | null;
    readonly views: number;
    readonly uniquePages: number;
    readonly uniquePagesExact: boolean;
    readonly items: number;
    readonly firstView: number | null;
    readonly lastView: number | null;
    /** In all; the days are the last 35. */
    readonly activeMinutes: number;
    readonly days: readonly ActiveDay[];
    readonly counters: readonly Counter[];
    /** Null where the rules are not known: `rulesProblem` says why. */
    readonly suggestions: readonly ExplainedSuggestion[] | null;
    readonly segments: readonly ExplainedSegment[] | null;
    readonly rulesProblem: string | null;
    /** The groups that were given to the question. */
    readonly groups: readonly string[];
    readonly notices: readonly NoticeOfSubject[];
    readonly mutedLists: readonly string[];
    readonly devices: Devices;
  };
}
