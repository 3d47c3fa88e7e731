import type { z } from 'zod';
import { closestName } from '../../protocol/internal/index.ts';

/** Parts of a JSON Schema that describe the allowed values. */
export interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
}

type Issue = z.core.$ZodIssue;

/** Describes the faults of a configuration, one text each: the path of the value and the values that the schema allows
 *  there; for an unknown key, the closest known key. It does not show the value, because that can be a secret. `issues`
 *  must carry their input (`reportInput`). */
export function describeIssues(issues: readonly Issue[], schema: JsonSchema): string[] {
  return issues.flatMap((issue) => describeIssue(issue, schema));
}

function describeIssue(issue: Issue, schema: JsonSchema): string[] {
  const node = nodeAt(schema, issue.path);
  const path = pathText(issue.path);
  if (issue.code === 'unrecognized_keys') {
    // If a value may have several forms, the known keys are those of its object form.
    const known = (node?.anyOf ?? [node]).flatMap((form) => Object.keys(form?.properties ?? {}));
    return issue.keys.map((key) => {
      const meant = closestName(key, known);
      const instead = meant === undefined ? `known are ${known.join(', ')}` : `did you mean "${meant}"?`;
      return `${pathText([...issue.path, key])} is unknown: ${instead}`;
    });
  }
  if (issue.code === 'invalid_union' && isObject(issue.input)) {
    // Describes the faults inside the object form: the value is an object.
    const within = issue.errors.find(
      (errors) => !errors.some(({ code, path }) => code === 'invalid_type' && path.length === 0),
    );
    if (within) {
      return describeIssues(
        within.map((each) => ({ ...each, path: [...issue.path, ...each.path] })),
        schema,
      );
    }
  }
  // A pattern has its message beside it in the schema.
  const give = node?.pattern !== undefined && isText(issue.input) ? issue.message : `give ${allowed(node ?? {})}`;
  if (path === '') return [give];
  return [issue.input === undefined ? `${path} is missing: ${give}` : `${path}: ${give}`];
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function nodeAt(schema: JsonSchema, path: readonly PropertyKey[]): JsonSchema | undefined {
  let node: JsonSchema | undefined = schema;
  for (const part of path) {
    const forms: readonly JsonSchema[] = node?.anyOf ?? (node ? [node] : []);
    node = forms
      .map((form) => (typeof part === 'number' ? form.items : form.properties?.[String(part)]))
      .find((found) => found !== undefined);
  }
  return node;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}${text === '' ? '' : '.'}${String(part)}`),
    '',
  );
}

/** Describes the allowed values in words. */
function allowed(node: JsonSchema): string {
  if (node.anyOf) return node.anyOf.map(allowed).join(' or ');
  if (node.enum) return listed(node.enum.map((value) => JSON.stringify(value)));
  switch (node.type) {
    case 'string':
      if (node.minLength === 1 && node.maxLength === undefined) return 'a text that is not empty';
      return `a text${range(node.minLength, node.maxLength, ' of ', ' characters')}`;
    case 'integer':
      return `a whole number${bounds(node)}`;
    case 'number':
      return `a number${bounds(node)}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return `a list${range(node.minItems, node.maxItems, ' of ', ' entries')}`;
    default:
      return 'an object';
  }
}

function bounds({ minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  // Leaves out the bounds that zod gives every whole number: those of safe integers.
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (exclusiveMinimum !== undefined)
    return ` above ${exclusiveMinimum}${most === undefined ? '' : `, at most ${most}`}`;
  return range(minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum, most, ' from ', '');
}

function range(least: number | undefined, most: number | undefined, before: string, unit: string): string {
  if (least !== undefined && most !== undefined) return `${before}${least} to ${most}${unit}`;
  if (most !== undefined) return `${before}at most ${most}${unit}`;
  return least === undefined || least === 0 ? '' : `${before}at least ${least}${unit}`;
}

function listed(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`;
}
