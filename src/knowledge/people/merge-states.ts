import { SUBJECT_FLAGS, WINDOW_MINUTES } from '../../redis/index.ts';
import { addFact, type Fact, sinceTaken } from '../facts/fact-section.ts';
import type { ItemHash } from '../item-hash.ts';
import { MAX_DAYS, SMALL_MINUTES } from '../scripts/minutes-lua.ts';
import { MINUTES_PER_DAY } from '../utc-days.ts';
import type { SubjectState } from './subject-state.ts';

/* merge-states.ts: what becomes of a person's record when a session is merged into it. Pure: nothing is read or written. */

/** What is known of a subject, decrypted. */
export interface MergeSide {
  /** Undefined where there is no record. */
  readonly state: SubjectState | undefined;
  readonly items: readonly ItemHash[];
  readonly pages: readonly ItemHash[];
  /** Active minutes in the large form; empty where there is none. */
  readonly days: readonly number[];
  /** By the hash of the event or the cluster. */
  readonly facts: ReadonlyMap<ItemHash, Fact>;
}

/** The person's record behind the merge, and what is to be written beside it. */
export interface Merged {
  readonly head: SubjectState['head'];
  /** Active minutes that the record holds. */
  readonly minutes: readonly number[];
  /** Active minutes to add to the large form. */
  readonly largeMinutes: readonly number[];
  /** New ones, which the record or the large form takes. */
  readonly items: readonly ItemHash[];
  readonly pages: readonly ItemHash[];
  readonly facts: ReadonlyMap<ItemHash, Fact>;
  /** Parts that turn into the large form now: all that the record held goes there. */
  readonly begins: { readonly pages: boolean; readonly items: boolean; readonly minutes: boolean };
}

/** How to merge. */
export interface MergeTerms {
  readonly views: number;
  readonly taken: ReadonlyMap<ItemHash, Fact>;
  readonly exactLimit: number;
  readonly now: number;
}

const EMPTY: SubjectState['head'] = { flags: 0, views: 0, firstView: 0, lastView: 0, activeMinutes: 0, moved: 0 };

/** Merges what is known of a session into what is known of a person. `views`: how many of the session's views are new to
 *  the person; `taken`: the session's facts that the person has already; all else is united, so it may be merged again.
 *  `now`: seconds of the epoch. */
export function mergeStates(
  person: MergeSide,
  session: MergeSide,
  { views, taken, exactLimit, now }: MergeTerms,
): Merged {
  const [target, source] = [person.state?.head ?? EMPTY, session.state?.head ?? EMPTY];
  const lastView = Math.max(target.lastView, source.lastView);
  const items = newOnes(person.items, session.items);
  const pages = newOnes(person.pages, session.pages);
  const minutes = mergeMinutes(person, session, Math.floor(lastView / 60));
  const has = (flag: number): boolean => (target.flags & flag) !== 0;
  const begins = {
    pages: !has(SUBJECT_FLAGS.largePages) && person.pages.length + pages.length > exactLimit,
    items: !has(SUBJECT_FLAGS.largeItems) && person.items.length + items.length > exactLimit,
    minutes: minutes.begins,
  };
  let { flags } = target;
  flags |= SUBJECT_FLAGS.returned;
  if (begins.pages) flags |= SUBJECT_FLAGS.largePages;
  if (begins.items) flags |= SUBJECT_FLAGS.largeItems;
  if (begins.minutes) flags |= SUBJECT_FLAGS.largeMinutes;
  flags |= source.flags & SUBJECT_FLAGS.notices;
  if ((source.flags & (SUBJECT_FLAGS.largePages | SUBJECT_FLAGS.largeItems)) !== 0) flags |= SUBJECT_FLAGS.beside;
  const head = {
    flags,
    views: target.views + views,
    firstView: earlier(target.firstView, source.firstView),
    lastView,
    activeMinutes: target.activeMinutes + minutes.added,
    moved: now,
  };
  return {
    head,
    minutes: minutes.inRecord,
    largeMinutes: minutes.large,
    items,
    pages,
    facts: mergeFacts(person.facts, session.facts, taken),
    begins,
  };
}

function mergeFacts(
  known: ReadonlyMap<ItemHash, Fact>,
  given: ReadonlyMap<ItemHash, Fact>,
  taken: ReadonlyMap<ItemHash, Fact>,
): ReadonlyMap<ItemHash, Fact> {
  const facts = new Map(known);
  for (const [name, fact] of given) {
    const more = sinceTaken(fact, taken.get(name));
    if (more) facts.set(name, addFact(known.get(name), more));
  }
  return facts;
}

function earlier(one: number, other: number): number {
  if (one === 0 || other === 0) return Math.max(one, other);
  return Math.min(one, other);
}

function newOnes(known: readonly ItemHash[], given: readonly ItemHash[]): ItemHash[] {
  const seen = new Set(known);
  return given.filter((item) => !seen.has(item));
}

function mergeMinutes(
  person: MergeSide,
  session: MergeSide,
  top: number,
): { inRecord: number[]; large: number[]; added: number; begins: boolean } {
  const wasLarge = ((person.state?.head.flags ?? 0) & SUBJECT_FLAGS.largeMinutes) !== 0;
  const known = new Set([...(person.state?.minutes ?? []), ...person.days]);
  const kept = (minute: number): boolean =>
    !wasLarge || minute > top - WINDOW_MINUTES || wouldKeep(person.days, minute);
  const given = [...(session.state?.minutes ?? []), ...session.days];
  const fresh = [...new Set(given)].filter((minute) => !known.has(minute) && kept(minute));
  const all = [...new Set([...(person.state?.minutes ?? []), ...fresh])].sort((one, other) => one - other);
  const isInWindow = (minute: number): boolean => minute > top - WINDOW_MINUTES;
  const outside = all.filter((minute) => !isInWindow(minute));
  const begins = !wasLarge && outside.length > SMALL_MINUTES;
  const isLarge = wasLarge || begins;
  return {
    inRecord: isLarge ? all.filter(isInWindow) : all,
    large: isLarge ? outside : [],
    added: fresh.length,
    begins,
  };
}

// The large form drops the oldest day above its most: a minute of a day that is older than all could not be told again from
// one that counted already.
function wouldKeep(days: readonly number[], minute: number): boolean {
  const kept = new Set(days.map((each) => Math.floor(each / MINUTES_PER_DAY)));
  return kept.size < MAX_DAYS || Math.floor(minute / MINUTES_PER_DAY) >= Math.min(...kept);
}
