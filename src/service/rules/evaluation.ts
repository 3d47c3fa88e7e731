import { type Fact, type ItemHash, MINUTE_MS, type SubjectReading } from '../../knowledge/index.ts';
import { isPerson } from '../../protocol/index.ts';
import {
  type Answers,
  type CompiledRule,
  type Here,
  holds,
  NO,
  UNKNOWN,
  type VisitFigures,
  YES,
} from '../../rules/index.ts';
import type { ServedRules } from './served-rules.ts';

/* evaluation.ts: gathers what rules ask about a subject from its one reading. Of a small subject all stands in its record:
 * what it has seen is looked up among what rules ask about, which is usually more. Of a large one a filter has to be asked
 * for each item by itself, so only about those on which something still depends. */

// Lua cannot unpack more than some thousands.
const ITEMS_PER_COMMAND = 1_000;
const INACTIVE_MINUTES = 5;

/** What a question says of itself. */
export interface Asking {
  /** Default: none. */
  readonly groups?: readonly string[] | 'unknown' | undefined;
  readonly here?: string | undefined;
  /** What must be known: whether each rule holds (default), of those that hold also because of what, or all, to explain it. */
  readonly needs?: 'whether' | 'because' | 'all';
}

/** Gathers what these rules ask about. `now`: milliseconds of the epoch. */
export async function evaluate(
  served: ServedRules,
  asked: readonly CompiledRule[],
  subject: SubjectReading,
  now: number,
  { groups = [], here, needs = 'whether' }: Asking = {},
): Promise<Answers> {
  const countsPages = asked.some((rule) => rule.countsPages);
  const asksActivity = asked.some((rule) => rule.asksActivity);
  const [figures, facts, pages, items, viewing] = await Promise.all([
    readFigures(subject, now, { countsPages, asksActivity }),
    readFacts(served, subject),
    subject.seenAmong('page', served.numbersOfPages),
    subject.seenAmong('item', served.numbersOfItems),
    here === undefined ? undefined : readHere(served, subject, here, countsPages),
  ]);
  const isKnown = pages !== undefined && items !== undefined;
  const seen = new Uint8Array(served.pages.length).fill(isKnown ? NO : UNKNOWN);
  for (const number of pages ?? []) seen[number] = YES;
  for (const number of items ?? []) seen[number] = YES;
  const page = here === undefined ? undefined : served.numberOfPage(here);
  if (page !== undefined) seen[page] = YES;
  const answers = served.compiled.answersOf({
    now: Math.floor(now / 1_000),
    seen,
    facts,
    figures,
    isPerson: isPerson(subject.subject),
    groups: groups === 'unknown' ? undefined : groups,
    here: viewing,
  });
  if (!isKnown) await askItems(served, asked, subject, answers, needs);
  return answers;
}

async function readFigures(
  subject: SubjectReading,
  now: number,
  { countsPages, asksActivity }: Pick<CompiledRule, 'countsPages' | 'asksActivity'>,
): Promise<VisitFigures> {
  const [totals, minutes, pages] = await Promise.all([
    subject.totals(),
    asksActivity ? subject.minutes(now - INACTIVE_MINUTES * MINUTE_MS, now) : undefined,
    countsPages ? subject.count('page') : undefined,
  ]);
  return { ...totals, uniquePages: pages?.count, isInactive: minutes !== undefined && !minutes.includes(true) };
}

async function readFacts(served: ServedRules, subject: SubjectReading): Promise<(Fact | undefined)[]> {
  const facts = new Array<Fact | undefined>(served.numbersOfFacts.size).fill(undefined);
  for (const [hash, fact] of await subject.facts()) {
    const number = served.numbersOfFacts.get(hash);
    if (number !== undefined) facts[number] = fact;
  }
  return facts;
}

async function readHere(
  served: ServedRules,
  subject: SubjectReading,
  here: string,
  countsPages: boolean,
): Promise<Here> {
  const [seen] = countsPages ? await subject.hasSeen('page', [served.hashOfPage(here)]) : [];
  return {
    isNew: seen === undefined ? undefined : !seen,
    clusters: served
      .clustersOf(here)
      .map((cluster) => served.numbersOfFacts.get(cluster))
      .filter((number) => number !== undefined),
  };
}

/** Asks about items until all is decided, or all is known. */
async function askItems(
  served: ServedRules,
  asked: readonly CompiledRule[],
  subject: SubjectReading,
  answers: Answers,
  needs: Asking['needs'],
): Promise<void> {
  const { compiled } = served;
  const ask = async (items: readonly number[]): Promise<void> => {
    if (items.length === 0) return;
    await askOf(served, subject, items, answers.known.seen);
    answers.forgetSegments();
  };
  if (needs === 'all') return ask(unknownItems(asked, answers));
  for (let isFirst = true; ; isFirst = false) {
    const items = compiled.itemsToAsk(asked, answers, isFirst);
    if (items.length === 0) break;
    await ask(items);
  }
  if (needs === 'because') {
    await ask(
      unknownItems(
        asked.filter((rule) => holds(rule, answers)),
        answers,
      ),
    );
  }
}

function unknownItems(rules: readonly CompiledRule[], { known }: Answers): number[] {
  const items = new Set<number>();
  // Rules that ask the same segments share a set.
  for (const asked of new Set(rules.map((rule) => rule.items))) {
    for (const number of asked) if (known.seen[number] === UNKNOWN) items.add(number);
  }
  return [...items];
}

async function askOf(
  served: ServedRules,
  subject: SubjectReading,
  items: readonly number[],
  seen: Uint8Array,
): Promise<void> {
  const asked: Promise<void>[] = [];
  for (let from = 0; from < items.length; from += ITEMS_PER_COMMAND) {
    const part = items.slice(from, from + ITEMS_PER_COMMAND);
    const hashesOf = (hashes: readonly ItemHash[]): ItemHash[] => part.map((number) => hashes[number]!);
    asked.push(
      Promise.all([
        subject.hasSeen('page', hashesOf(served.pages)),
        subject.hasSeen('item', hashesOf(served.items)),
      ]).then(([viewed, marked]) => {
        for (const [i, number] of part.entries()) seen[number] = viewed[i] || marked[i] ? YES : NO;
      }),
    );
  }
  await Promise.all(asked);
}
