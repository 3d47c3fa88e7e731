import { isVisible, type SessionFields } from './session-fields.ts';

/** One change of a field: its new JSON, an integer to add, or its removal. */
export type FieldChange =
  | { readonly name: string; readonly set: string }
  | { readonly name: string; readonly add: number; readonly final: string }
  | { readonly name: string; readonly remove: true };

const NUMBER = /^-?\d[\d.eE+-]*$/;
const INTEGER = /^-?(0|[1-9]\d{0,15})$/;

/** Which integer fields count as sums: all, none, or those named. */
export type IntegerDeltas = boolean | readonly string[];

/** Lists the changes from `before` to `after`. An integer field that `integerDeltas` names as a sum becomes a
 *  difference to add, so that `count++` in two requests counts twice; a missing field counts as 0. Fields in
 *  `hidden` are not removed: the application never saw them. */
export function changesBetween(
  before: SessionFields,
  after: SessionFields,
  options: { readonly integerDeltas: IntegerDeltas; readonly hidden: ReadonlySet<string> },
): FieldChange[] {
  const changes: FieldChange[] = [];
  for (const [name, json] of after) {
    const old = before.get(name);
    if (json === old || (old !== undefined && isSameNumber(json, old))) continue;
    if (isSum(options.integerDeltas, name) && isSafeInteger(old ?? '0') && isSafeInteger(json)) {
      changes.push({ name, add: Number(json) - Number(old ?? 0), final: json });
    } else {
      changes.push({ name, set: json });
    }
  }
  for (const name of before.keys()) {
    if (!after.has(name) && isVisible(name) && !options.hidden.has(name)) changes.push({ name, remove: true });
  }
  return changes;
}

/** Lists the change of one field since `before`, as a save would send it. `json`: the field now; undefined: removed. */
export function changesOfField(
  before: SessionFields,
  name: string,
  json: string | undefined,
  options: { readonly integerDeltas: IntegerDeltas; readonly hidden: ReadonlySet<string> },
): FieldChange[] {
  const old = before.get(name);
  const only = (value: string | undefined): SessionFields => new Map(value === undefined ? [] : [[name, value]]);
  return changesBetween(only(old), only(json), options);
}

/** Applies changes to fields, as the script `changed_body` does. */
export function applyChanges(fields: SessionFields, changes: readonly FieldChange[]): SessionFields {
  const result = new Map(fields);
  for (const change of changes) {
    if ('remove' in change) result.delete(change.name);
    else if ('set' in change) result.set(change.name, change.set);
    else {
      const there = result.get(change.name);
      const isNumber = there !== undefined && INTEGER.test(there);
      result.set(change.name, isNumber ? String(Number(there) + change.add) : change.final);
    }
  }
  return result;
}

/** The flat list that `changed_body` takes. */
export function listChanges(changes: readonly FieldChange[]): string[] {
  return changes.flatMap((change) => {
    if ('remove' in change) return [change.name, 'd', '', ''];
    if ('set' in change) return [change.name, 's', change.set, ''];
    return [change.name, 'n', String(change.add), change.final];
  });
}

function isSum(integerDeltas: IntegerDeltas, name: string): boolean {
  return typeof integerDeltas === 'boolean' ? integerDeltas : integerDeltas.includes(name);
}

// Redis and JavaScript write some numbers differently: 0.10000000000000001 and 0.1.
function isSameNumber(one: string, other: string): boolean {
  return NUMBER.test(one) && NUMBER.test(other) && Number(one) === Number(other);
}

function isSafeInteger(json: string): boolean {
  return INTEGER.test(json) && Number.isSafeInteger(Number(json));
}
