import type { Fact } from '../knowledge/index.ts';

/* answers.ts: what is known of one visitor, as far as rules ask. They ask by numbers, which are given when the rules are
 * compiled, so that an evaluation looks nothing up by name. */

/** Whether something holds. In this order, so that "all" is the least and "any" the greatest of its parts. */
export const NO = 0;
/** Not asked about yet. */
export const UNKNOWN = 1;
export const YES = 2;
export type Held = typeof NO | typeof UNKNOWN | typeof YES;

const SECONDS_PER_DAY = 86_400;

/** The figures of all visits of a visitor. */
export interface VisitFigures {
  readonly views: number;
  /** Different pages; undefined where no rule asks for it. */
  readonly uniquePages: number | undefined;
  readonly activeMinutes: number;
  /** In seconds of the epoch; undefined where there was no view. */
  readonly firstView: number | undefined;
  /** Whether neither this minute nor one of the five before was active; of no meaning where no rule asks for it. */
  readonly isInactive: boolean;
}

/** What is known of a visitor when rules are evaluated. */
export interface Known {
  /** Seconds of the epoch. */
  readonly now: number;
  /** By the number of an item. */
  readonly seen: Uint8Array;
  /** By the number of a fact; undefined where it never happened. */
  readonly facts: readonly (Fact | undefined)[];
  readonly figures: VisitFigures;
  /** Whether asked as a person. */
  readonly isPerson: boolean;
  /** Groups to which the visitor belongs, by the page; undefined where no page has told them. */
  readonly groups: readonly string[] | undefined;
  /** The page that is being rendered, whose view does not count yet. */
  readonly here: Here | undefined;
}

/** The page that is being rendered. */
export interface Here {
  /** Whether it is another one than those that were viewed; undefined where no rule asks for it. */
  readonly isNew: boolean | undefined;
  /** The numbers of the facts that its view adds to: its clusters. */
  readonly clusters: readonly number[];
}

/** What is known of a visitor, and which segments it was found to be in. */
export class Answers {
  readonly known: Known;
  /** By the number of a segment: what was found, plus one; 0: not evaluated yet. */
  readonly segments: Uint8Array;

  constructor(known: Known, segments: number) {
    this.known = known;
    this.segments = new Uint8Array(segments);
  }

  /** Forgets which segments hold, because more is known by now. */
  forgetSegments(): void {
    this.segments.fill(0);
  }

  /** How often a fact happened. `withinDays`: undefined for at any time. */
  countOf(fact: number, withinDays: number | undefined): number {
    const { facts, here, now } = this.known;
    const found = facts[fact];
    const viewing = here?.clusters.includes(fact) ? 1 : 0;
    if (found === undefined) return viewing;
    return viewing + (withinDays === undefined ? found.count : countWithin(found, withinDays, now));
  }

  get views(): number {
    return this.known.figures.views + (this.known.here ? 1 : 0);
  }

  get uniquePages(): number {
    const { figures, here } = this.known;
    return (figures.uniquePages ?? 0) + (here?.isNew ? 1 : 0);
  }

  get activeMinutes(): number {
    return this.known.figures.activeMinutes;
  }

  get isNew(): boolean {
    return this.known.figures.views === 0;
  }

  get isInactive(): boolean {
    return !this.isNew && this.known.figures.isInactive;
  }

  /** Whether the first view was on an earlier day of UTC. */
  get isReturning(): boolean {
    const { firstView } = this.known.figures;
    return firstView !== undefined && dayOf(firstView) < dayOf(this.known.now);
  }

  /** Whole days since the first view; 0 where there was none. */
  get daysSinceFirstView(): number {
    const { firstView } = this.known.figures;
    return firstView === undefined ? 0 : Math.max(0, dayOf(this.known.now - firstView));
  }
}

/** Counts how often something happened within the last `withinDays` days, today's (UTC) included. `now`: seconds of the
 *  epoch. */
export function countWithin({ days }: Fact, withinDays: number, now: number): number {
  const oldest = dayOf(now) - withinDays;
  let sum = 0;
  // From the last one on: the days ascend.
  for (let i = days.length - 1; i >= 0 && days[i]![0] > oldest; i -= 1) sum += days[i]![1];
  return sum;
}

function dayOf(seconds: number): number {
  return Math.floor(seconds / SECONDS_PER_DAY);
}
