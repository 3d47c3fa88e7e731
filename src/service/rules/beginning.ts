import type { Fact, ItemHash, SubjectReading } from '../../knowledge/index.ts';
import type { SeenKind } from '../../redis/index.ts';
import { type Answers, type CompiledSuggestion, NO, YES } from '../../rules/index.ts';
import { evaluate } from './evaluation.ts';
import type { ServedRules } from './served-rules.ts';

/* beginning.ts: which suggestions begin to hold by what a write counted. The subject is read once, behind the write; how it
 * was before is calculated from what the write answered. So of two writes at once it is the one that made a rule hold by
 * which the rule begins. */

/** What a write counted. */
export interface Counted {
  /** Whether it was a view. */
  readonly isView?: boolean;
  /** Items that were seen for the first time as one of this kind. */
  readonly seen?: { readonly kind: SeenKind; readonly items: readonly ItemHash[] };
  /** Events, and clusters of a page. */
  readonly facts?: readonly AddedFact[];
}

/** A fact to which a write has added. */
export interface AddedFact {
  readonly name: ItemHash;
  readonly added: number;
  /** How often it has happened in all, behind the write. */
  readonly count: number;
}

/** The suggestions that may begin to hold by what was counted: those that ask about it. Costs a look into two maps. */
export function suggestionsAbout(served: ServedRules, { seen, facts = [] }: Counted): readonly CompiledSuggestion[] {
  return served.compiled.suggestionsAbout(
    numbersOfSeen(served, seen),
    facts.map(({ name }) => served.numbersOfFacts.get(name)).filter((number) => number !== undefined),
  );
}

/** Of these suggestions, those that begin to hold by what was counted. One that asks for a group is among them where it
 *  holds for visitors of the group: which ones the visitor has, a write does not say. `now`: milliseconds of the epoch. */
export async function beginning(
  served: ServedRules,
  asked: readonly CompiledSuggestion[],
  subject: SubjectReading,
  counted: Counted,
  now: number,
): Promise<CompiledSuggestion[]> {
  const read = await evaluate(served, asked, subject, now, { groups: 'unknown', needs: 'because' });
  const after = served.compiled.answersOf({
    ...read.known,
    facts: factsAt(served, read, counted, ({ count }) => count),
  });
  const holding = asked.filter(({ condition, show }) => condition.test(after) !== NO && !show.isHidden(after));
  if (holding.length === 0) return [];
  const before = await answersBefore(served, subject, read, counted);
  return holding.filter(({ condition }) => condition.test(before) < condition.test(after));
}

async function answersBefore(
  served: ServedRules,
  subject: SubjectReading,
  { known }: Answers,
  counted: Counted,
): Promise<Answers> {
  const { isView = false, seen: added } = counted;
  const seen = known.seen.slice();
  const numbers = numbersOfSeen(served, added);
  // An item may have been seen as one of the other kind.
  const other = added?.kind === 'page' ? ('item' as const) : ('page' as const);
  const hashes = other === 'page' ? served.pages : served.items;
  const wasSeen = await subject.hasSeen(
    other,
    numbers.map((number) => hashes[number]!),
  );
  for (const [i, number] of numbers.entries()) seen[number] = wasSeen[i] ? YES : NO;
  const { views, uniquePages } = known.figures;
  const isNewPage = isView && (added?.items.length ?? 0) > 0;
  const figures = {
    ...known.figures,
    views: views - (isView ? 1 : 0),
    uniquePages: uniquePages === undefined ? undefined : uniquePages - (isNewPage ? 1 : 0),
  };
  const facts = factsAt(served, { known }, counted, ({ count, added }) => count - added);
  return served.compiled.answersOf({ ...known, seen, figures, facts });
}

function numbersOfSeen(served: ServedRules, seen: Counted['seen']): number[] {
  if (!seen) return [];
  const numbers = seen.kind === 'page' ? served.numbersOfPages : served.numbersOfItems;
  return seen.items.map((item) => numbers.get(item)).filter((number) => number !== undefined);
}

/** The facts as they were when those that were counted had happened so often. */
function factsAt(
  served: ServedRules,
  { known }: Pick<Answers, 'known'>,
  { facts = [] }: Counted,
  countOf: (fact: AddedFact) => number,
): (Fact | undefined)[] {
  const all = [...known.facts];
  for (const fact of facts) {
    const number = served.numbersOfFacts.get(fact.name);
    if (number !== undefined) all[number] = factAt(all[number], countOf(fact));
  }
  return all;
}

/** A fact as it was when it had happened `count` times: what is too much is taken from the last days. */
function factAt(fact: Fact | undefined, count: number): Fact | undefined {
  if (fact === undefined || fact.count <= count) return fact;
  if (count <= 0) return undefined;
  let left = fact.count - count;
  const days = fact.days.map(([day, of]): [number, number] => [day, of]);
  for (let last = days.at(-1); left > 0 && last !== undefined; last = days.at(-1)) {
    const taken = Math.min(left, last[1]);
    left -= taken;
    last[1] -= taken;
    if (last[1] === 0) days.pop();
  }
  return { ...fact, count, days };
}
