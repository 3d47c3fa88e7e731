import type { Candidate } from './candidate.ts';

/** A condition of a draft. */
export interface DraftCondition {
  readonly seen: string;
}

/** A rule that data propose and nobody has approved yet. */
export interface Draft {
  readonly name: string;
  readonly when: { readonly all: readonly DraftCondition[] };
  readonly suggest: string;
  /** In words for the visitor. */
  readonly reason: string;
  /** Not suggested to those who have seen it. */
  readonly unless: DraftCondition;
  /** What the data said; not a part of the rule. */
  readonly found: {
    readonly baskets: number;
    readonly of: number;
    readonly confidence: number;
    readonly lift: number;
    readonly from: string;
    readonly at: string;
  };
}

/** Where and when candidates were found. */
export interface DraftSource {
  readonly baskets: number;
  readonly from: string;
  /** Milliseconds of the epoch. */
  readonly at: number;
}

const MOST_NAME_CHARACTERS = 60;
const HALF_CHARACTER = /\p{Surrogate}$/u;
// In a reason, which visitors read.
const MOST_ITEM_CHARACTERS = 80;

/** Makes drafts of candidates. `taken`: names that are given already; those of the drafts are added. */
export function draftsOf(candidates: readonly Candidate[], source: DraftSource, taken: Set<string>): Draft[] {
  return candidates.map((candidate) => {
    const { when, suggest, baskets, confidence, lift } = candidate;
    const name = freeName([...when, suggest].join(' '), taken);
    taken.add(name);
    return {
      name,
      when: { all: when.map((seen) => ({ seen })) },
      suggest,
      reason: `Often seen together with ${inWords(when.map(shortened))}.`,
      unless: { seen: suggest },
      found: {
        baskets,
        of: source.baskets,
        confidence: Number(confidence.toFixed(4)),
        lift: Number(lift.toFixed(4)),
        from: source.from,
        at: new Date(source.at).toISOString(),
      },
    };
  });
}

/** Identifies what a draft says, whatever it is called. A person may have given it other conditions than `seen`. */
export function contentOf({ when, suggest }: Pick<Draft, 'when' | 'suggest'>): string {
  const names = Array.isArray(when.all)
    ? when.all.map((each: Partial<DraftCondition> | null) => each?.seen)
    : [undefined];
  return JSON.stringify([names.includes(undefined) ? when : names.sort(), suggest]);
}

function shortened(item: string): string {
  if (item.length <= MOST_ITEM_CHARACTERS) return item;
  return `${item.slice(0, MOST_ITEM_CHARACTERS - 3).replace(HALF_CHARACTER, '')}...`;
}

/** Lists names as a sentence does: `a, b and c`. */
export function inWords(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function freeName(text: string, taken: ReadonlySet<string>): string {
  const base =
    text
      .normalize('NFKD')
      .toLowerCase()
      .replace(/\p{M}/gu, '')
      .replace(/[^\p{L}\p{N}]+/gu, '-')
      .slice(0, MOST_NAME_CHARACTERS)
      .replace(HALF_CHARACTER, '')
      .replace(/^-+|-+$/g, '') || 'rule';
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? base : `${base}-${number}`;
    if (!taken.has(name)) return name;
  }
}
