import type { MemoryBudget } from '../../discover/index.ts';
import { type CheckedRules, CompiledRules, type Condition, holds, MemoryHistory } from '../../rules/index.ts';

/* rule-trial.ts: what rules would have done for the visitors of a log. Before each view, as a page asks while it is rendered,
 * each rule is evaluated. Of a visitor for whom a rule never held, the view counts at which the fewest of its conditions were
 * missing: that is how close the visitor came. */

const VISITOR_BYTES = 600;
const VIEW_BYTES = 150;
const ADVICE = 'give a shorter part of the log';

/** A condition of a rule that must hold: one part of its `all`, the whole where it has none, or that `unless` does not. */
export interface TriedCondition {
  /** Where it stands in the rule: `when.all[1]`. */
  readonly place: string;
  readonly condition: Condition;
  /** Visitors for whom it was missing when they came closest. */
  missing: number;
  /** Of these, visitors for whom nothing else was missing. */
  missingAlone: number;
}

/** What a rule would have done. */
export interface TriedRule {
  readonly name: string;
  /** Visitors for whom it held at some view, and how many views that were. */
  visitors: number;
  views: number;
  readonly conditions: readonly TriedCondition[];
}

/** For how many visitors a segment held at some view. */
export interface TriedSegment {
  readonly name: string;
  visitors: number;
}

/** What a trial found. */
export interface TrialReport {
  readonly visitors: number;
  readonly views: number;
  readonly rules: readonly TriedRule[];
  readonly segments: readonly TriedSegment[];
}

interface Visitor {
  readonly history: MemoryHistory;
  lastAt: number;
  /** By rule: which conditions were missing when the visitor came closest; undefined once the rule held. */
  readonly missing: (readonly number[] | undefined)[];
  readonly segments: Set<number>;
}

/** Tries rules on views, in the order in which they happened. */
export class RuleTrial {
  readonly #budget: MemoryBudget;
  readonly #compiled: CompiledRules;
  // The conditions of all rules one behind the other, each compiled as a segment behind the given ones; and where those of a rule begin.
  readonly #begins: readonly number[];
  readonly #rules: readonly TriedRule[];
  readonly #segments: readonly TriedSegment[];
  readonly #visitors = new Map<string, Visitor>();
  #views = 0;

  constructor({ clusters, segments, suggestions }: CheckedRules, budget: MemoryBudget) {
    this.#budget = budget;
    this.#rules = suggestions.map(({ name, when, unless }) => ({
      ...{ name, visitors: 0, views: 0 },
      conditions: conditionsOf(when, unless),
    }));
    let begin = 0;
    this.#begins = this.#rules.map(({ conditions }) => {
      begin += conditions.length;
      return begin - conditions.length;
    });
    const parts = this.#rules.flatMap(({ conditions }) => conditions);
    this.#segments = Object.keys(segments).map((name) => ({ name, visitors: 0 }));
    // No segment of a site begins with a zero character.
    const asSegments = Object.fromEntries(parts.map(({ condition }, i) => [`\0${i}`, condition]));
    this.#compiled = new CompiledRules({ clusters, suggestions: [], segments: { ...segments, ...asSegments } });
  }

  /** Evaluates all rules for a visitor who is about to view a page, and notes the view. `at`: milliseconds of the epoch.
   *  @throws DiscoverError where the memory does not suffice. */
  view(name: string, page: string, at: number): void {
    const visitor = this.#visitorOf(name);
    this.#budget.take(VIEW_BYTES, ADVICE);
    this.#views += 1;
    visitor.lastAt = Math.max(visitor.lastAt, Math.floor(at / 1_000));
    const now = visitor.lastAt;
    const answers = this.#compiled.answersOf(visitor.history.knownAt({ now, here: page }));
    const { segments } = this.#compiled;
    for (const [i, rule] of this.#rules.entries()) {
      const begin = this.#segments.length + this.#begins[i]!;
      const missing = rule.conditions.flatMap((_, j) => (holds(segments[begin + j]!, answers) ? [] : [j]));
      if (missing.length === 0) this.#fire(visitor, i, rule);
      else if (visitor.missing[i] && missing.length <= visitor.missing[i].length) visitor.missing[i] = missing;
    }
    for (const [i, segment] of this.#segments.entries()) {
      if (visitor.segments.has(i) || !holds(segments[i]!, answers)) continue;
      visitor.segments.add(i);
      segment.visitors += 1;
    }
    visitor.history.view(page, now);
  }

  /** Counts the conditions that were missing, and ends the trial. */
  finish(): TrialReport {
    for (const { missing } of this.#visitors.values()) {
      for (const [i, rule] of this.#rules.entries()) {
        for (const j of missing[i] ?? []) {
          const condition = rule.conditions[j]!;
          condition.missing += 1;
          if (missing[i]!.length === 1) condition.missingAlone += 1;
        }
      }
    }
    return { visitors: this.#visitors.size, views: this.#views, rules: this.#rules, segments: this.#segments };
  }

  #fire(visitor: Visitor, i: number, rule: TriedRule): void {
    rule.views += 1;
    if (visitor.missing[i]) rule.visitors += 1;
    visitor.missing[i] = undefined;
  }

  #visitorOf(name: string): Visitor {
    const known = this.#visitors.get(name);
    if (known) return known;
    this.#budget.take(VISITOR_BYTES + 2 * name.length + 8 * this.#rules.length, ADVICE);
    const visitor = {
      history: new MemoryHistory(this.#compiled),
      lastAt: 0,
      missing: this.#rules.map(({ conditions }) => conditions.map((_, j) => j)),
      segments: new Set<number>(),
    };
    this.#visitors.set(name, visitor);
    return visitor;
  }
}

function conditionsOf(when: Condition, unless: Condition | undefined): TriedCondition[] {
  const parts = 'all' in when ? when.all.map((condition, i) => ({ place: `when.all[${i}]`, condition })) : undefined;
  return [
    ...(parts ?? [{ place: 'when', condition: when }]),
    ...(unless === undefined ? [] : [{ place: 'unless', condition: { not: unless } }]),
  ].map((part) => ({ ...part, missing: 0, missingAlone: 0 }));
}

/** Whether a log can tell that a condition holds: it knows views of pages, and neither events nor marked items, groups or
 *  persons. Of a segment, `conditionOf` gives the condition. */
export function isInLog(condition: Condition, conditionOf: (segment: string) => Condition | undefined): boolean {
  if ('all' in condition) return condition.all.every((part) => isInLog(part, conditionOf));
  if ('any' in condition) return condition.any.every((part) => isInLog(part, conditionOf));
  if ('not' in condition) return isInLog(condition.not, conditionOf);
  if ('seen' in condition) return condition.seen.startsWith('/');
  if ('segment' in condition) return isInLog(conditionOf(condition.segment) ?? { views: 0 }, conditionOf);
  return !('event' in condition || 'group' in condition || 'identified' in condition);
}
