import { normalizeItem } from '../protocol/index.ts';
import { checkEventName, checkGroupName, closestName, excerpt } from '../protocol/internal/index.ts';
import { meantName } from './clusters.ts';
import { FIGURES, STATES } from './conditions.ts';
import { MAX_CONDITIONS_OF_RULE, MAX_COUNT, MAX_COUNT_OF_DAY, MAX_DAYS, MAX_DEPTH } from './limits.ts';
import type { Condition, HowOften } from './rules.ts';

/* check-condition.ts: checks a condition as it was written. Each message begins with the place of what is wrong. */

/** What conditions may name. */
export interface KnownNames {
  readonly clusters: readonly string[];
  readonly segments: readonly string[];
}

const KINDS = [
  'all',
  'any',
  'not',
  'seen',
  'event',
  'cluster',
  ...(Object.keys(FIGURES) as (keyof typeof FIGURES)[]),
  ...(Object.keys(STATES) as (keyof typeof STATES)[]),
  'group',
  'segment',
] as const;
type Kind = (typeof KINDS)[number];
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  event: ['item', 'atLeast', 'withinDays'],
  cluster: ['atLeast', 'withinDays'],
};
type Fields = Readonly<Record<string, unknown>>;

/** Checks the conditions of one rule. */
export class ConditionCheck {
  readonly #known: KnownNames;
  readonly #rule: string;
  #count = 0;

  /** `rule`: its place, for messages. */
  constructor(rule: string, known: KnownNames) {
    this.#rule = rule;
    this.#known = known;
  }

  /** How many conditions were checked. */
  get count(): number {
    return this.#count;
  }

  /** Checks a condition. Returns a copy, with items reduced.
   *  @throws RangeError */
  check(given: unknown, place: string, depth = 1): Condition {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      throw wrong(place, `(${excerpt(given)}) cannot be used: give a condition, as {"seen":"/tv"}.`);
    }
    if (depth > MAX_DEPTH) throw wrong(place, `is too deep: conditions nest at most ${MAX_DEPTH} deep.`);
    this.#count += 1;
    if (this.#count > MAX_CONDITIONS_OF_RULE) {
      throw wrong(this.#rule, `has more than ${MAX_CONDITIONS_OF_RULE} conditions: make segments of some.`);
    }
    const kind = kindOf(given as Fields, place);
    return this.#checkKind(kind, given as Fields, place, depth);
  }

  #checkKind(kind: Kind, given: Fields, place: string, depth: number): Condition {
    const at = `${place}.${kind}`;
    const value = given[kind];
    switch (kind) {
      case 'all':
      case 'any':
        return { [kind]: this.#checkParts(value, at, depth) } as unknown as Condition;
      case 'not':
        return { not: this.check(value, at, depth + 1) };
      case 'seen':
        return { seen: checkItem(value, at) };
      case 'event':
        return {
          event: checkName(checkEventName, value, at),
          ...(given.item !== undefined && { item: checkItem(given.item, `${place}.item`) }),
          ...checkHowOften(given, place),
        };
      case 'cluster':
        return { cluster: checkKnown(value, at, 'cluster', this.#known.clusters), ...checkHowOften(given, place) };
      case 'group':
        return { group: checkName(checkGroupName, value, at) };
      case 'segment':
        return { segment: checkKnown(value, at, 'segment', this.#known.segments) };
      default:
        if (kind in FIGURES) return { [kind]: checkWhole(value, at, 1, MAX_COUNT) } as unknown as Condition;
        if (value === true) return { [kind]: true } as unknown as Condition;
        throw wrong(at, `(${excerpt(value)}) cannot be used: give true; {"not":{"${kind}":true}} is the opposite.`);
    }
  }

  #checkParts(value: unknown, at: string, depth: number): Condition[] {
    if (!Array.isArray(value) || value.length === 0) {
      throw wrong(at, `(${excerpt(value)}) cannot be used: give a list of conditions, one at least.`);
    }
    return value.map((part, i) => this.check(part, `${at}[${i}]`, depth + 1));
  }
}

/** Makes an error that names the place. */
export function wrong(place: string, why: string): RangeError {
  return new RangeError(`${place} ${why}`);
}

/** Checks that a value is a whole number.
 *  @throws RangeError */
export function checkWhole(value: unknown, place: string, least: number, most: number): number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  const [from, to] = [least, most].map((bound) => bound.toLocaleString('en'));
  throw wrong(place, `(${excerpt(value)}) cannot be used: give a whole number from ${from} to ${to}.`);
}

/** Checks that an object has known fields only.
 *  @throws RangeError that proposes the closest one. */
export function checkFieldsAt(given: Fields, place: string, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw wrong(place === '' ? unknown : `${place}.${unknown}`, `is unknown: ${meantName(unknown, known)}`);
  }
}

function kindOf(given: Fields, place: string): Kind {
  const names = Object.keys(given).filter((name) => given[name] !== undefined);
  const kinds = KINDS.filter((kind) => names.includes(kind));
  const [kind, second] = kinds;
  if (kind === undefined) {
    if (names.length === 0) throw wrong(place, 'is empty: give a condition, as {"seen":"/tv"}.');
    const misspelt = names.find((name) => closestName(name, KINDS) !== undefined) ?? names[0]!;
    throw wrong(`${place}.${misspelt}`, `is unknown: ${meantName(misspelt, KINDS)}`);
  }
  if (second !== undefined) {
    throw wrong(place, `has two conditions, "${kind}" and "${second}": put each into an object of its own, in "all".`);
  }
  const beside = BESIDE[kind] ?? [];
  const other = names.find((name) => name !== kind && !beside.includes(name));
  if (other === undefined) return kind;
  const owners = Object.keys(BESIDE).filter((owner) => BESIDE[owner]!.includes(other));
  if (owners.length > 0) {
    throw wrong(`${place}.${other}`, `cannot stand beside "${kind}": it belongs to ${owners.join(' and ')}.`);
  }
  throw wrong(`${place}.${other}`, `is unknown: ${meantName(other, [kind, ...beside])}`);
}

function checkHowOften(given: Fields, place: string): HowOften {
  const { atLeast, withinDays } = given;
  const days = withinDays === undefined ? undefined : checkWhole(withinDays, `${place}.withinDays`, 1, MAX_DAYS);
  // Days are counted up to there: more would never hold.
  const most = days === undefined ? MAX_COUNT : days * MAX_COUNT_OF_DAY;
  return {
    ...(atLeast !== undefined && { atLeast: checkWhole(atLeast, `${place}.atLeast`, 1, most) }),
    ...(days !== undefined && { withinDays: days }),
  };
}

function checkItem(value: unknown, place: string): string {
  if (typeof value !== 'string') throw wrong(place, `(${excerpt(value)}) is no item: give a path, a URL or a name.`);
  return checkName(normalizeItem, value, place);
}

function checkKnown(value: unknown, place: string, what: string, known: readonly string[]): string {
  if (typeof value === 'string' && known.includes(value)) return value;
  const meant = typeof value === 'string' ? meantName(value, known) : `give the name of a ${what}.`;
  throw wrong(place, `(${excerpt(value)}) cannot be used: there is no such ${what}, ${meant}`);
}

/** Checks a name by a check of the wire's.
 *  @throws RangeError */
export function checkName<Given>(check: (value: Given) => string, value: Given, place: string): string {
  try {
    return check(value);
  } catch (error) {
    throw wrong(place, `cannot be used: ${(error as Error).message}`);
  }
}
