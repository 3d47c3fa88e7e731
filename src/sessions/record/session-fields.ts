import { NotSerialisableError } from '../errors/not-serialisable-error.ts';
import { isoTime } from './iso-time.ts';

/** The JSON of each top-level field. */
export type SessionFields = Map<string, string>;

/** When a session's cookie expires. It is stored in the record's header and not in a field, because it changes with
 *  every request. */
export interface CookieExpiry {
  /** `cookie.expires` in milliseconds of the epoch; 0 for none. */
  readonly expiresAt: number;
}

/** Prefix of the store's own fields. */
export const OWN_PREFIX = '\0';
/** Field of the user's id, as `identify` was given it. */
export const USER_FIELD: string = `${OWN_PREFIX}user`;
/** Field of the device's name in the user's list of sessions. */
export const DEVICE_FIELD: string = `${OWN_PREFIX}device`;

/** Whether applications see a field. `__proto__` cannot be set on an object as a field, so it stays where it is. */
export function isVisible(name: string): boolean {
  return !name.startsWith(OWN_PREFIX) && name !== '__proto__';
}

/** Writes each field of a session as JSON; `undefined` and functions are left out. A cookie's `expires` is returned
 *  apart.
 *  @throws NotSerialisableError that names the field: a circle, a BigInt, a `toJSON` that throws. */
export function writeFields(values: object): { fields: SessionFields; cookie: CookieExpiry | undefined } {
  const fields: SessionFields = new Map();
  let cookie: CookieExpiry | undefined;
  for (const [name, value] of Object.entries(values)) {
    if (!isVisible(name)) continue;
    const json = name === 'cookie' && isObject(value) ? writeCookie(value) : writeField(name, value);
    if (json !== undefined) fields.set(name, json);
    if (name === 'cookie' && isObject(value)) cookie = { expiresAt: timeOf((value as { expires?: unknown }).expires) };
  }
  return { fields, cookie };
}

/** Checks that all fields can be written.
 *  @throws NotSerialisableError */
export function checkFields(values: object): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'object' && value !== null && name !== 'cookie') writeField(name, value);
    else if (typeof value === 'bigint') throw new NotSerialisableError(name, 'it is a BigInt');
  }
}

/** Writes one value as JSON; undefined for values that JSON leaves out.
 *  @throws NotSerialisableError */
export function writeField(name: string, value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new NotSerialisableError(name, whyNot(value, error), { cause: error });
  }
}

/** Reads the values of fields, without the store's own and without `hidden` ones.
 *  @throws SyntaxError where a field is no JSON. */
export function readFields(
  fields: SessionFields,
  hidden: ReadonlySet<string>,
  cookieExpiresAt: number,
): Record<string, unknown> {
  const names: string[] = [];
  let list = '';
  for (const [name, json] of fields) {
    if (!isVisible(name) || hidden.has(name)) continue;
    list += names.length === 0 ? json : `,${json}`;
    names.push(name);
  }
  // One call for all costs half of one for each.
  const read = JSON.parse(`[${list}]`) as unknown[];
  if (read.length !== names.length) throw new SyntaxError('A field is more than one value.');
  const values: Record<string, unknown> = {};
  for (const [i, name] of names.entries()) values[name] = read[i];
  const { cookie } = values;
  if (isObject(cookie)) {
    const expires = cookieExpiresAt === 0 ? null : isoTime(cookieExpiresAt);
    (cookie as { expires?: string | null }).expires = expires;
  }
  return values;
}

// Fastify's cookies hold their expiry twice; neither is stored in the field.
function writeCookie(cookie: object): string | undefined {
  return writeField('cookie', {
    toJSON(): unknown {
      const plain = 'toJSON' in cookie && typeof cookie.toJSON === 'function' ? (cookie.toJSON() as unknown) : cookie;
      if (!isObject(plain)) return plain;
      const { expires: _, originalExpires: __, ...rest } = plain as Record<string, unknown>;
      return rest;
    },
  });
}

function timeOf(expires: unknown): number {
  if (expires === null || expires === undefined || expires === false) return 0;
  const time = new Date(expires as string | number | Date).getTime();
  // 0 says that there is none; the epoch itself is how one is made to expire.
  return Number.isNaN(time) ? 0 : Math.max(1, time);
}

function whyNot(value: unknown, error: unknown): string {
  if (error instanceof RangeError) return 'it is nested too deeply';
  const message = error instanceof Error ? error.message : 'its toJSON() failed';
  if (/BigInt/.test(message)) return typeof value === 'bigint' ? 'it is a BigInt' : 'it holds a BigInt';
  if (/circular/i.test(message)) return 'it refers to itself';
  return message;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
