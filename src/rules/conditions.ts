import type { Explanation } from '../protocol/index.ts';
import { type Answers, type Held, NO, UNKNOWN, YES } from './answers.ts';
import { amount, needed, times, within } from './words.ts';

/* conditions.ts: compiled conditions. Answer and explanation of one come from the same place: `explain` says whether it holds
 * by `test`. */

/** What made a rule hold: few each, so no sets. */
export interface Because {
  /** Each once. */
  readonly names: string[];
  /** Segments that were looked at, so that none is twice. */
  readonly segments: number[];
}

/** A compiled condition. */
export interface CompiledCondition {
  /** Whether it holds. Allocates nothing. */
  test(answers: Answers): Held;
  /** Explains why; all that it asks must be known. */
  explain(answers: Answers): Explanation;
  /** Adds what made it hold. Only for a condition that holds. */
  addBecause(answers: Answers, because: Because): void;
  /** Adds the items that could decide it and are not known. */
  addUnknown(answers: Answers, wanted: Wanted): void;
}

/** Items that are to be asked about. */
export interface Wanted {
  readonly items: Set<number>;
  /** Segments that were looked at, so that none is twice. */
  readonly segments: Set<number>;
  /** Whether only the first unknown item of each condition is wanted. */
  readonly first: boolean;
}

/** Makes a condition of several: all hold, or any does. */
export function several(kind: 'all' | 'any', parts: readonly CompiledCondition[]): CompiledCondition {
  // What ends the search, and what there is without it.
  const [end, other] = kind === 'all' ? ([NO, YES] as const) : ([YES, NO] as const);
  const test = (answers: Answers): Held => {
    let found: Held = other;
    for (let i = 0; i < parts.length; i += 1) {
      const held = parts[i]!.test(answers);
      if (held === end) return end;
      if (held === UNKNOWN) found = UNKNOWN;
    }
    return found;
  };
  return {
    test,
    explain(answers) {
      const explained = parts.map((part) => part.explain(answers));
      const holding = explained.filter(({ holds }) => holds).length;
      const text =
        kind === 'all'
          ? `${holding} of ${parts.length} hold, all must`
          : `${holding} of ${parts.length} ${holding === 1 ? 'holds' : 'hold'}, one must`;
      return { holds: test(answers) === YES, text, [kind]: explained };
    },
    addBecause(answers, because) {
      for (const part of parts) if (kind === 'all' || part.test(answers) === YES) part.addBecause(answers, because);
    },
    addUnknown(answers, wanted) {
      if (test(answers) !== UNKNOWN) return;
      for (const part of parts) {
        if (part.test(answers) !== UNKNOWN) continue;
        part.addUnknown(answers, wanted);
        if (wanted.first) return;
      }
    },
  };
}

/** Makes the opposite of a condition. What is not there is no reason that could be shown. */
export function opposite(part: CompiledCondition): CompiledCondition {
  const test = (answers: Answers): Held => (YES - part.test(answers)) as Held;
  return {
    test,
    explain(answers) {
      const not = part.explain(answers);
      return { holds: test(answers) === YES, text: `must not hold, ${not.holds ? 'but does' : 'and does not'}`, not };
    },
    addBecause() {},
    addUnknown: (answers, wanted) => part.addUnknown(answers, wanted),
  };
}

/** Makes the condition that an item was seen. */
export function seenItem(item: string, number: number): CompiledCondition {
  const test = ({ known }: Answers): Held => known.seen[number] as Held;
  return {
    test,
    explain(answers) {
      const holds = test(answers) === YES;
      return { holds, text: `${holds ? 'has seen' : 'has not seen'} ${item}`, seen: item };
    },
    addBecause(_, { names }) {
      addOnce(names, item);
    },
    addUnknown(answers, { items }) {
      if (test(answers) === UNKNOWN) items.add(number);
    },
  };
}

/** A fact that is counted. */
export interface CountedFact {
  readonly number: number;
  readonly atLeast: number;
  readonly withinDays: number | undefined;
  /** What made it hold, where it holds. */
  readonly because: readonly string[];
  /** Says in words how often, without the time in which. */
  words(count: string): string;
  /** The fields of its explanation. */
  readonly fields: Partial<Explanation>;
}

/** Makes the condition that something happened so often. */
export function countedFact({ number, atLeast, withinDays, because, words, fields }: CountedFact): CompiledCondition {
  const test = (answers: Answers): Held => (answers.countOf(number, withinDays) >= atLeast ? YES : NO);
  return {
    test,
    explain(answers) {
      const count = answers.countOf(number, withinDays);
      const holds = test(answers) === YES;
      const text = `${words(amount(count, atLeast))}${within(withinDays)}${needed(count, atLeast)}`;
      return { holds, text, ...fields, atLeast, ...(withinDays !== undefined && { withinDays }), count };
    },
    addBecause(_, { names }) {
      for (const name of because) addOnce(names, name);
    },
    addUnknown() {},
  };
}

/** The conditions that compare a figure of all visits, each with its words. */
export const FIGURES = {
  views: (count: string) => `viewed pages ${times(count)}`,
  uniquePages: (count: string) => `viewed ${count} different pages`,
  activeMinutes: (count: string) => `was active in ${count} minutes`,
  daysSinceFirstView: (count: string) => `${count} days since the first view`,
} as const;
export type Figure = keyof typeof FIGURES;

/** Makes the condition that a figure is so large. */
export function figure(name: Figure, atLeast: number): CompiledCondition {
  const test = (answers: Answers): Held => (answers[name] >= atLeast ? YES : NO);
  return {
    test,
    explain(answers) {
      const count = answers[name];
      const holds = test(answers) === YES;
      const text = `${FIGURES[name](amount(count, atLeast))}${needed(count, atLeast)}`;
      return { holds, text, [name]: atLeast, atLeast, count };
    },
    addBecause() {},
    addUnknown() {},
  };
}

/** The conditions that are true or not, each with its words for both. */
export const STATES = {
  newToSite: { test: ({ isNew }: Answers) => isNew, words: ['is new to the site', 'is not new to the site'] },
  inactive: {
    test: ({ isInactive }: Answers) => isInactive,
    words: ['was not active for five minutes', 'is new, or was active in the last five minutes'],
  },
  returning: {
    test: ({ isReturning }: Answers) => isReturning,
    words: ['was here on an earlier day', 'was not here on an earlier day'],
  },
  identified: {
    test: ({ known }: Answers) => known.isPerson,
    words: ['is a person who is logged in', 'is not logged in'],
  },
} as const;
export type State = keyof typeof STATES;

/** Makes the condition that something is true of the visitor. */
export function state(name: State): CompiledCondition {
  const { test, words } = STATES[name];
  return plain(test, words, { [name]: true });
}

/** Makes the condition that the visitor belongs to a group. */
export function ofGroup(group: string): CompiledCondition {
  const words = [`belongs to the group ${group}`, `does not belong to the group ${group}`] as const;
  const { test, ...of } = plain(({ known }) => known.groups?.includes(group) ?? false, words, { group });
  return { ...of, test: (answers) => (answers.known.groups === undefined ? UNKNOWN : test(answers)) };
}

function plain(
  isTrue: (answers: Answers) => boolean,
  [yes, no]: readonly [string, string],
  fields: Partial<Explanation>,
): CompiledCondition {
  return {
    test: (answers) => (isTrue(answers) ? YES : NO),
    explain: (answers) => ({ holds: isTrue(answers), text: isTrue(answers) ? yes : no, ...fields }),
    addBecause() {},
    addUnknown() {},
  };
}

/** Makes the condition that a segment holds. `conditionOf`: the segment's condition, which is evaluated once for all rules. */
export function ofSegment(segment: string, number: number, conditionOf: () => CompiledCondition): CompiledCondition {
  const test = (answers: Answers): Held => {
    const known = answers.segments[number]!;
    if (known > 0) return (known - 1) as Held;
    const held = conditionOf().test(answers);
    answers.segments[number] = held + 1;
    return held;
  };
  return {
    test,
    explain(answers) {
      const holds = test(answers) === YES;
      return { holds, text: `${holds ? 'is' : 'is not'} in the segment ${segment}`, segment };
    },
    addBecause(answers, because) {
      if (because.segments.includes(number)) return;
      because.segments.push(number);
      conditionOf().addBecause(answers, because);
    },
    addUnknown(answers, wanted) {
      if (wanted.segments.has(number)) return;
      wanted.segments.add(number);
      conditionOf().addUnknown(answers, wanted);
    },
  };
}

function addOnce(names: string[], name: string): void {
  if (!names.includes(name)) names.push(name);
}
