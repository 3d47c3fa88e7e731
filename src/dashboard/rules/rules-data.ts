import type { RuleMarks } from '../../knowledge/index.ts';

/* rules-data.ts: what the page of rules shows. */

/** A rule that suggests something, and what it did in all. */
export interface RuleOfPage extends RuleMarks {
  readonly rule: string;
  /** Its conditions in words. */
  readonly when: string;
  readonly unless: string | null;
  readonly suggest: string;
  readonly reason: string;
}

/** A segment, and for about how many subjects it held. */
export interface SegmentOfPage {
  readonly segment: string;
  readonly when: string;
  /** By days of UTC, today first. */
  readonly days: readonly number[];
}

/** A draft of `discover`, which nobody has decided about. */
export interface DraftOfPage {
  readonly name: string;
  readonly when: string;
  readonly suggest: string;
  readonly reason: string;
  /** What the data said; null where a person has taken it out. */
  readonly found: {
    readonly baskets: number;
    readonly of: number;
    readonly confidence: number;
    readonly lift: number;
    readonly from: string;
    readonly at: string;
  } | null;
}

/** Rules, as the page shows them. */
export interface RulesData {
  readonly rules: readonly RuleOfPage[];
  readonly segments: readonly SegmentOfPage[];
  /** The days of `SegmentOfPage.days`: `2026-11-22`. */
  readonly days: readonly string[];
  /** Why the rules are not known; null where they are. */
  readonly rulesProblem: string | null;
  readonly drafts: readonly DraftOfPage[];
  /** Why drafts are not known, or cannot be approved. */
  readonly draftsProblem: string | null;
}
