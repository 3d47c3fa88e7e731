import { checkGroupName, checkRuleName, excerpt } from '../protocol/internal/index.ts';
import { ConditionCheck, checkFieldsAt, checkName, checkWhole, type KnownNames, wrong } from './check-condition.ts';
import { checkClusters } from './clusters.ts';
import {
  MAX_CONDITIONS,
  MAX_COOLDOWN,
  MAX_COUNT,
  MAX_DAYS,
  MAX_DEPTH,
  MAX_PRIORITY,
  MAX_SEGMENTS,
  MAX_SUGGESTIONS,
  MAX_TEXT,
} from './limits.ts';
import type { ClusterPatterns, Condition, Rules, ShowLimit, SuggestionRule } from './rules.ts';

/* check-rules.ts: checks rules as they were written. Each message begins with the place of what is wrong:
 * `suggestions[3].when.all[1].event cannot be used: ...`. */

/** Rules that were checked: nothing is left out, and items are reduced. */
export interface CheckedRules {
  readonly clusters: ClusterPatterns;
  readonly suggestions: readonly SuggestionRule[];
  readonly segments: Readonly<Record<string, Condition>>;
}

/** The parts of rules. */
export const RULES_FIELDS = ['clusters', 'suggestions', 'segments'] as const;
const SUGGESTION_FIELDS = ['name', 'when', 'unless', 'suggest', 'reason', 'priority', 'show', 'cooldown'];

/** Checks rules.
 *  @throws RangeError that begins with the place of what is wrong. */
export function checkRules(rules: Rules): CheckedRules {
  if (!isObject(rules)) {
    throw wrong('The rules', `(${excerpt(rules)}) cannot be used: give an object of ${RULES_FIELDS.join(', ')}.`);
  }
  // An editor's line.
  const { $schema: _, ...parts } = rules as Rules & { $schema?: unknown };
  checkFieldsAt(parts, '', RULES_FIELDS);
  const clusters = checkClusters(rules.clusters ?? {});
  const given = rules.segments ?? {};
  if (!isObject(given)) {
    throw wrong('segments', `(${excerpt(given)}) cannot be used: give an object of names and conditions.`);
  }
  const known = { clusters: Object.keys(clusters), segments: Object.keys(given) };
  const budget = new Budget();
  const segments = checkSegments(given, known, budget);
  const suggestions = checkSuggestions(rules.suggestions ?? [], known, budget);
  return { clusters, suggestions, segments };
}

/** Counts the conditions of all rules. */
class Budget {
  #count = 0;

  spend(check: ConditionCheck): void {
    this.#count += check.count;
    if (this.#count > MAX_CONDITIONS) {
      throw wrong('suggestions and segments', `have more than ${MAX_CONDITIONS.toLocaleString('en')} conditions.`);
    }
  }
}

function checkSegments(
  given: Readonly<Record<string, unknown>>,
  known: KnownNames,
  budget: Budget,
): Record<string, Condition> {
  if (known.segments.length > MAX_SEGMENTS) {
    throw wrong('segments', `cannot be used: there are ${known.segments.length}, and at most ${MAX_SEGMENTS} can be.`);
  }
  const segments = Object.entries(given).map(([name, condition]) => {
    const place = `segments.${name}`;
    checkName((value: string) => checkGroupName(value, 'segment'), name, 'segments');
    const check = new ConditionCheck(place, known);
    const checked = check.check(condition, place);
    budget.spend(check);
    return [name, checked] as const;
  });
  const checked = Object.fromEntries(segments);
  checkNesting(checked);
  return checked;
}

/** Checks that no segment asks itself, through others either.
 *  @throws RangeError that names the circle. */
function checkNesting(segments: Readonly<Record<string, Condition>>): void {
  const paths = new Map<string, readonly string[]>();
  // The longest way on from a segment, itself included.
  const pathFrom = (name: string, before: readonly string[]): readonly string[] => {
    const known = paths.get(name);
    if (known) return known;
    const circle = before.indexOf(name);
    if (circle >= 0) throw wrong(`segments.${name}`, `asks itself: ${[...before.slice(circle), name].join(' -> ')}.`);
    let longest: readonly string[] = [];
    for (const asked of segmentsIn(segments[name]!)) {
      const path = pathFrom(asked, [...before, name]);
      if (path.length > longest.length) longest = path;
    }
    const path = [name, ...longest];
    paths.set(name, path);
    if (path.length <= MAX_DEPTH) return path;
    throw wrong(`segments.${name}`, `asks ${path.join(' -> ')}: segments ask each other at most ${MAX_DEPTH} deep.`);
  };
  for (const name of Object.keys(segments)) pathFrom(name, []);
}

/** The segments that a condition asks by name. */
function* segmentsIn(condition: Condition): Generator<string> {
  if ('segment' in condition) yield condition.segment;
  else if ('not' in condition) yield* segmentsIn(condition.not);
  else if ('all' in condition) for (const part of condition.all) yield* segmentsIn(part);
  else if ('any' in condition) for (const part of condition.any) yield* segmentsIn(part);
}

function checkSuggestions(given: unknown, known: KnownNames, budget: Budget): SuggestionRule[] {
  if (!Array.isArray(given) || given.length > MAX_SUGGESTIONS) {
    throw wrong('suggestions', `cannot be used: give a list of at most ${MAX_SUGGESTIONS.toLocaleString('en')} rules.`);
  }
  const names = new Map<string, number>();
  return given.map((rule, i) => {
    const place = `suggestions[${i}]`;
    if (!isObject(rule)) throw wrong(place, `(${excerpt(rule)}) cannot be used: give {"name","when","suggest"}.`);
    checkFieldsAt(rule, place, SUGGESTION_FIELDS);
    const name = checkName(checkRuleName, rule.name, `${place}.name`);
    // A payload that begins so is JSON.
    if (name.startsWith('{')) throw wrong(`${place}.name`, `cannot be used: a name does not begin with "{".`);
    const other = names.get(name);
    if (other !== undefined) {
      throw wrong(`${place}.name`, `cannot be used: suggestions[${other}] is called "${name}" too.`);
    }
    names.set(name, i);
    const check = new ConditionCheck(place, known);
    const checked: SuggestionRule = {
      name,
      when: check.check(rule.when, `${place}.when`),
      ...(rule.unless !== undefined && { unless: check.check(rule.unless, `${place}.unless`) }),
      ...checkOffer(rule, place),
    };
    budget.spend(check);
    return checked;
  });
}

function checkOffer(
  { suggest, reason = '', priority = 0, show, cooldown }: Readonly<Record<string, unknown>>,
  place: string,
): Omit<SuggestionRule, 'name' | 'when' | 'unless'> {
  return {
    suggest: checkText(suggest, `${place}.suggest`, 1),
    reason: checkText(reason, `${place}.reason`, 0),
    priority: checkWhole(priority, `${place}.priority`, -MAX_PRIORITY, MAX_PRIORITY),
    ...(show !== undefined && { show: checkShow(show, `${place}.show`) }),
    ...(cooldown !== undefined && { cooldown: checkWhole(cooldown, `${place}.cooldown`, 1, MAX_COOLDOWN) }),
  };
}

function checkText(value: unknown, place: string, least: number): string {
  if (typeof value === 'string' && value.length >= least && value.length <= MAX_TEXT && !/\p{Cs}/u.test(value)) {
    return value;
  }
  throw wrong(
    place,
    `(${excerpt(value)}) cannot be used: give a text of ${least} to ${MAX_TEXT.toLocaleString('en')} characters.`,
  );
}

function checkShow(given: unknown, place: string): ShowLimit {
  if (!isObject(given)) throw wrong(place, `(${excerpt(given)}) cannot be used: give {"atMost":3,"perDays":7}.`);
  checkFieldsAt(given, place, ['atMost', 'perDays']);
  const { atMost, perDays } = given;
  return {
    atMost: checkWhole(atMost, `${place}.atMost`, 1, MAX_COUNT),
    ...(perDays !== undefined && { perDays: checkWhole(perDays, `${place}.perDays`, 1, MAX_DAYS) }),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
