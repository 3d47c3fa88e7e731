import {
  type CompiledCondition,
  countedFact,
  FIGURES,
  type Figure,
  figure,
  ofGroup,
  ofSegment,
  opposite,
  type State,
  seenItem,
  several,
  state,
} from './conditions.ts';
import { type FactName, nameOfEventWith } from './fact-name.ts';
import type { ClusterCondition, ClusterPatterns, Condition, EventCondition } from './rules.ts';
import { times } from './words.ts';

/** A compiled condition, and what it asks about. */
export interface CompiledUse {
  readonly condition: CompiledCondition;
  readonly items: ReadonlySet<number>;
  readonly facts: ReadonlySet<number>;
  readonly segments: ReadonlySet<number>;
  readonly countsPages: boolean;
  readonly asksActivity: boolean;
}

/** Notes what one condition asks about, while it is compiled. */
interface Uses {
  readonly items: Set<number>;
  readonly facts: Set<number>;
  readonly segments: Set<number>;
  countsPages: boolean;
  asksActivity: boolean;
}

/** Compiles conditions, and numbers what they ask about. */
export class ConditionCompiler {
  readonly #patterns: ClusterPatterns;
  readonly #segmentNumbers: ReadonlyMap<string, number>;
  readonly #segmentOf: (number: number) => CompiledCondition;
  // By the segments that are asked.
  readonly #unions = new Map<string, Uses>();
  readonly #items = new Map<string, number>();
  readonly #facts = new Map<string, { readonly number: number; readonly name: FactName }>();

  /** `segments`: all names, by their number. `segmentOf`: the condition of a segment, when all are compiled. */
  constructor(
    patterns: ClusterPatterns,
    segments: readonly string[],
    segmentOf: (number: number) => CompiledCondition,
  ) {
    this.#patterns = patterns;
    this.#segmentNumbers = new Map(segments.map((name, number) => [name, number]));
    this.#segmentOf = segmentOf;
  }

  /** The items that are asked about, by their number. */
  get items(): string[] {
    return [...this.#items.keys()];
  }

  /** The facts that are asked about, by their number. */
  get facts(): FactName[] {
    return [...this.#facts.values()].map(({ name }) => name);
  }

  /** Compiles a checked condition. What its segments ask about is not in what it uses. */
  compile(condition: Condition): CompiledUse {
    const uses = noUses();
    const compiled = this.#compile(condition, uses);
    return { condition: compiled, ...uses };
  }

  /** Adds what segments ask about, also through others. `ofSegments`: by their number. Rules that ask nothing but the same
   *  segments share its sets: a thousand rules over a large segment would be millions of entries. */
  withSegments(use: CompiledUse, ofSegments: readonly CompiledUse[]): CompiledUse {
    if (use.segments.size === 0) return use;
    const asked = this.#unionOf(use.segments, ofSegments);
    return {
      condition: use.condition,
      items: union(asked.items, use.items),
      facts: union(asked.facts, use.facts),
      segments: asked.segments,
      countsPages: use.countsPages || asked.countsPages,
      asksActivity: use.asksActivity || asked.asksActivity,
    };
  }

  #unionOf(direct: ReadonlySet<number>, ofSegments: readonly CompiledUse[]): Uses {
    const key = [...direct].sort((one, other) => one - other).join();
    const known = this.#unions.get(key);
    if (known) return known;
    const made: Uses = { ...noUses(), segments: new Set(direct) };
    for (const number of made.segments) {
      const { items, facts, segments, countsPages, asksActivity } = ofSegments[number]!;
      for (const item of items) made.items.add(item);
      for (const fact of facts) made.facts.add(fact);
      for (const segment of segments) made.segments.add(segment);
      made.countsPages ||= countsPages;
      made.asksActivity ||= asksActivity;
    }
    this.#unions.set(key, made);
    return made;
  }

  /** The number of a fact. */
  numberOfFact(name: FactName): number {
    const key = `${name.kind}\0${name.name}`;
    const known = this.#facts.get(key);
    if (known) return known.number;
    const number = this.#facts.size;
    this.#facts.set(key, { number, name });
    return number;
  }

  #compile(condition: Condition, uses: Uses): CompiledCondition {
    if ('all' in condition) return several('all', this.#compileAll(condition.all, uses));
    if ('any' in condition) return several('any', this.#compileAll(condition.any, uses));
    if ('not' in condition) return opposite(this.#compile(condition.not, uses));
    if ('seen' in condition) {
      const number = this.#numberOfItem(condition.seen);
      uses.items.add(number);
      return seenItem(condition.seen, number);
    }
    if ('event' in condition) return this.#compileEvent(condition, uses);
    if ('cluster' in condition) return this.#compileCluster(condition, uses);
    if ('group' in condition) return ofGroup(condition.group);
    if ('segment' in condition) {
      const number = this.#segmentNumbers.get(condition.segment)!;
      uses.segments.add(number);
      return ofSegment(condition.segment, number, () => this.#segmentOf(number));
    }
    const [[kind, value]] = Object.entries(condition) as [[Figure | State, number | true]];
    uses.countsPages ||= kind === 'uniquePages';
    uses.asksActivity ||= kind === 'inactive';
    if (!(kind in FIGURES)) return state(kind as State);
    return figure(kind as Figure, value as number);
  }

  #compileAll(parts: readonly Condition[], uses: Uses): CompiledCondition[] {
    return parts.map((part) => this.#compile(part, uses));
  }

  #compileEvent({ event, item, atLeast = 1, withinDays }: EventCondition, { facts }: Uses): CompiledCondition {
    const name = item === undefined ? event : nameOfEventWith(event, item);
    const what = item === undefined ? event : `${event} with ${item}`;
    const number = this.numberOfFact({ kind: 'event', name });
    facts.add(number);
    return countedFact({
      number,
      atLeast,
      withinDays,
      because: item === undefined ? [event] : [event, item],
      words: (count) => `${what} happened ${times(count)}`,
      fields: { event, ...(item !== undefined && { item }) },
    });
  }

  #compileCluster({ cluster, atLeast = 1, withinDays }: ClusterCondition, { facts }: Uses): CompiledCondition {
    const patterns = this.#patterns[cluster]!;
    const number = this.numberOfFact({ kind: 'cluster', name: cluster });
    facts.add(number);
    return countedFact({
      number,
      atLeast,
      withinDays,
      because: [cluster],
      words: (count) => `viewed ${count} ${count === '1' ? 'page' : 'pages'} of ${inShort(patterns)}`,
      fields: { cluster },
    });
  }

  #numberOfItem(item: string): number {
    const number = this.#items.get(item) ?? this.#items.size;
    this.#items.set(item, number);
    return number;
  }
}

function noUses(): Uses {
  return { items: new Set(), facts: new Set(), segments: new Set(), countsPages: false, asksActivity: false };
}

function union(large: ReadonlySet<number>, more: ReadonlySet<number>): ReadonlySet<number> {
  return more.size === 0 ? large : new Set([...large, ...more]);
}

const SHOWN_PATTERNS = 3;

function inShort(patterns: readonly string[]): string {
  const shown = patterns.slice(0, SHOWN_PATTERNS).join(', ');
  return patterns.length > SHOWN_PATTERNS ? `${shown}, ...` : shown;
}
