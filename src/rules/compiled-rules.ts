import type { ExplainedRule, Explanation, Suggestion } from '../protocol/index.ts';
import { Answers, type Known, UNKNOWN, YES } from './answers.ts';
import type { CheckedRules } from './check-rules.ts';
import { PageClusters } from './clusters.ts';
import { type CompiledUse, ConditionCompiler } from './compile-condition.ts';
import { type CompiledCondition, opposite, several, type Wanted } from './conditions.ts';
import type { FactName } from './fact-name.ts';
import type { ClusterPatterns, SuggestionRule } from './rules.ts';
import { ShowState } from './show-state.ts';

/** A compiled rule: a suggestion or a segment. */
export interface CompiledRule {
  readonly name: string;
  readonly condition: CompiledCondition;
  /** The numbers of the items that it asks about, also through segments. */
  readonly items: ReadonlySet<number>;
  /** The numbers of the events and clusters that it asks about, also through segments. */
  readonly facts: ReadonlySet<number>;
  /** The numbers of the segments that it asks, also through others. */
  readonly segments: ReadonlySet<number>;
  /** Whether it asks how many different pages were viewed. */
  readonly countsPages: boolean;
  /** Whether it asks which of the last minutes were active. */
  readonly asksActivity: boolean;
}

/** A compiled suggestion. */
export interface CompiledSuggestion extends CompiledRule {
  readonly rule: SuggestionRule;
  readonly show: ShowState;
}

// Above it, the first item of each rule is asked about first: in a seen filter each item is asked for by itself.
const ASKED_AT_ONCE = 256;

/** Rules, compiled: whoever evaluates them gives what is known by numbers. */
export class CompiledRules {
  /** The patterns of the clusters, as they were given. */
  readonly patterns: ClusterPatterns;
  /** Finds the clusters of pages. */
  readonly clusters: PageClusters;
  /** The items that are asked about, by their number. */
  readonly items: readonly string[];
  /** The facts that are asked about, by their number. */
  readonly facts: readonly FactName[];
  /** In the order in which they are suggested. */
  readonly suggestions: readonly CompiledSuggestion[];
  /** By their number. */
  readonly segments: readonly CompiledRule[];
  readonly #suggestions: ReadonlyMap<string, CompiledSuggestion>;
  // By the numbers of what they ask about themselves, and by the segments that they ask, also through others.
  readonly #byItem = new Map<number, CompiledSuggestion[]>();
  readonly #byFact = new Map<number, CompiledSuggestion[]>();
  readonly #bySegment = new Map<number, CompiledSuggestion[]>();
  // The numbers of segments by what they ask about themselves.
  readonly #segmentsByItem = new Map<number, number[]>();
  readonly #segmentsByFact = new Map<number, number[]>();
  readonly #segments: ReadonlyMap<string, CompiledRule>;

  constructor(rules: CheckedRules) {
    this.patterns = rules.clusters;
    this.clusters = new PageClusters(rules.clusters);
    const names = Object.keys(rules.segments);
    const compiler = new ConditionCompiler(rules.clusters, names, (number) => segments[number]!.condition);
    const uses = names.map((name) => compiler.compile(rules.segments[name]!));
    const segments: CompiledRule[] = uses.map((use, i) => ({ name: names[i]!, ...compiler.withSegments(use, uses) }));
    this.segments = segments;
    this.suggestions = [...rules.suggestions]
      .sort((one, other) => (other.priority ?? 0) - (one.priority ?? 0))
      .map((rule) => this.#compileSuggestion(compiler, rule, uses));
    this.items = compiler.items;
    this.facts = compiler.facts;
    this.#suggestions = new Map(this.suggestions.map((each) => [each.name, each]));
    this.#segments = new Map(this.segments.map((each) => [each.name, each]));
    for (const [number, { items, facts }] of uses.entries()) {
      for (const item of items) addTo(this.#segmentsByItem, item, number);
      for (const fact of facts) addTo(this.#segmentsByFact, fact, number);
    }
  }

  #compileSuggestion(
    compiler: ConditionCompiler,
    rule: SuggestionRule,
    segments: readonly CompiledUse[],
  ): CompiledSuggestion {
    const own = compileRule(compiler, rule);
    const show = new ShowState(rule, (name) => compiler.numberOfFact(name));
    const suggestion = { ...compiler.withSegments(own, segments), name: rule.name, rule, show };
    for (const item of own.items) addTo(this.#byItem, item, suggestion);
    for (const fact of own.facts) addTo(this.#byFact, fact, suggestion);
    for (const segment of suggestion.segments) addTo(this.#bySegment, segment, suggestion);
    return suggestion;
  }

  /** The suggestions that are asked about: all, or the one of this name; none where there is none of it. */
  suggestionsNamed(name: string | undefined): readonly CompiledSuggestion[] {
    if (name === undefined) return this.suggestions;
    const found = this.#suggestions.get(name);
    return found ? [found] : [];
  }

  /** The suggestions that ask about any of these, each once. */
  suggestionsAbout(items: readonly number[], facts: readonly number[]): readonly CompiledSuggestion[] {
    if (items.length === 0 && facts.length === 0) return [];
    const found = new Set<CompiledSuggestion>();
    const add = (given: readonly CompiledSuggestion[] = []): void => {
      for (const each of given) found.add(each);
    };
    for (const item of items) {
      add(this.#byItem.get(item));
      for (const segment of this.#segmentsByItem.get(item) ?? []) add(this.#bySegment.get(segment));
    }
    for (const fact of facts) {
      add(this.#byFact.get(fact));
      for (const segment of this.#segmentsByFact.get(fact) ?? []) add(this.#bySegment.get(segment));
    }
    return [...found];
  }

  /** The segment of this name. */
  segmentNamed(name: string): CompiledRule | undefined {
    return this.#segments.get(name);
  }

  /** Begins an evaluation. */
  answersOf(known: Known): Answers {
    return new Answers(known, this.segments.length);
  }

  /** The items that have to be asked about before these rules are decided; none where they are. What is known of others
   *  decides many rules already. */
  itemsToAsk(asked: readonly CompiledRule[], answers: Answers, isFirstRound: boolean): number[] {
    const open = asked.filter(({ condition }) => condition.test(answers) === UNKNOWN);
    const wanted = (first: boolean): number[] => {
      const items = new Set<number>();
      // Where all items are wanted, those of a segment are wanted once, whatever rules ask it.
      let segments = new Set<number>();
      for (const { condition } of open) {
        if (first) segments = new Set();
        const of: Wanted = { items, segments, first };
        condition.addUnknown(answers, of);
      }
      return [...items];
    };
    if (open.length === 0) return [];
    const all = wanted(false);
    const first = isFirstRound && all.length > ASKED_AT_ONCE ? wanted(true) : [];
    // None where what comes first is no item: a group that is not known.
    return first.length > 0 ? first : all;
  }
}

/** The suggestions that are made now, in their order. */
export function suggest(asked: readonly CompiledSuggestion[], answers: Answers): Suggestion[] {
  const made: Suggestion[] = [];
  for (const { condition, rule, show } of asked) {
    if (condition.test(answers) !== YES || show.isHidden(answers)) continue;
    const because: string[] = [];
    condition.addBecause(answers, { names: because, segments: [] });
    made.push({ rule: rule.name, suggest: rule.suggest, because, reason: rule.reason ?? '' });
  }
  return made;
}

/** Why suggestions are made or are not, in their order. All their items must be known. */
export function explain(asked: readonly CompiledSuggestion[], answers: Answers): ExplainedRule[] {
  return asked.map(({ name, condition, show }) => {
    const explanation = condition.explain(answers);
    const hidden = explanation.holds ? show.whyHidden(answers) : undefined;
    return {
      rule: name,
      holds: explanation.holds,
      shown: explanation.holds && hidden === undefined,
      ...(hidden !== undefined && { hidden }),
      explanation,
    };
  });
}

/** Why the segments that rules ask hold or do not, each once; of `all` also those that no rule asks. */
export function explainSegments(
  rules: CompiledRules,
  asked: readonly CompiledRule[] | 'all',
  answers: Answers,
): Record<string, Explanation> {
  const numbers = new Set(asked === 'all' ? rules.segments.keys() : asked.flatMap(({ segments }) => [...segments]));
  return Object.fromEntries(
    [...numbers]
      .sort((one, other) => one - other)
      .map((number) => rules.segments[number]!)
      .map(({ name, condition }) => [name, condition.explain(answers)]),
  );
}

/** Whether a rule's condition holds. */
export function holds({ condition }: CompiledRule, answers: Answers): boolean {
  return condition.test(answers) === YES;
}

/** The names of the segments that were found to hold, where rules asked for them. */
export function heldSegments({ segments }: CompiledRules, answers: Answers): string[] {
  const held: string[] = [];
  for (let number = 0; number < segments.length; number += 1) {
    if (answers.segments[number] === YES + 1) held.push(segments[number]!.name);
  }
  return held;
}

function addTo<Value>(map: Map<number, Value[]>, number: number, each: Value): void {
  const known = map.get(number);
  if (known) known.push(each);
  else map.set(number, [each]);
}

function compileRule(compiler: ConditionCompiler, { when, unless }: SuggestionRule): CompiledUse {
  const compiled = compiler.compile(when);
  if (unless === undefined) return compiled;
  const except = compiler.compile(unless);
  return {
    condition: several('all', [compiled.condition, opposite(except.condition)]),
    items: new Set([...compiled.items, ...except.items]),
    facts: new Set([...compiled.facts, ...except.facts]),
    segments: new Set([...compiled.segments, ...except.segments]),
    countsPages: compiled.countsPages || except.countsPages,
    asksActivity: compiled.asksActivity || except.asksActivity,
  };
}
