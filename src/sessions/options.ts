import { checkOptions } from '../protocol/check-options.ts';
import { checkNamespace } from '../protocol/index.ts';
import type { ConnectionOptions, RedisClient } from '../redis/index.ts';
import type { ArchiveFunction } from './archived-session.ts';
import { SESSION_DATA_OPTIONS } from './known-options.ts';
import type { IntegerDeltas } from './record/field-changes.ts';

/** How session data are kept; only `redis` must be given. */
export interface SessionDataOptions {
  /** A URL, the parts of an address, or a client of node-redis, whose address and login are then used. */
  readonly redis: string | ConnectionOptions | RedisClient;
  /** Default `sw`. */
  readonly namespace?: string;
  /** How long a session may rest, in milliseconds. Default: what its cookie says (`maxAge`), and one day where that says
   *  nothing. Where both say something, the shorter counts. */
  readonly idleMs?: number;
  /** How long a session may live at all, in milliseconds from its first save. Default: without end. */
  readonly absoluteMs?: number;
  /** How often a session that is only read is renewed at most, in milliseconds. A session ends at most this much later
   *  than its idle time, and never earlier. Default: a tenth of the idle time. 0 renews with each request. */
  readonly touchEveryMs?: number;
  /** How long an operation may take, in milliseconds. Default 1,000. */
  readonly deadlineMs?: number;
  /** Fields whose integers are sums: their changes are sent as differences, so that `count++` in parallel requests adds
   *  up, a field that was missing included. Give the names of the counters. `true` takes every integer for a sum, and so
   *  a user's number too: two parallel requests that set `userId = 42` leave 84. Default false. */
  readonly integerDeltas?: boolean | readonly string[];
  /** Encrypts the data at rest. The first key seals, all of them open. `acceptPlain`: whether data that are not encrypted
   *  are read too, and encrypted by their next change; for as long as sessions live that are from before encryption was
   *  switched on. Default false: who can write to Redis could put in their own. */
  readonly encryption?: { readonly keys: readonly (string | Uint8Array)[]; readonly acceptPlain?: boolean } | undefined;
  /** A prefix of connect-redis's keys (its default is `sess:`). A session that is not here is looked for there, taken
   *  over, and deleted there. Those are not encrypted: with `encryption` it needs `acceptPlain` too. */
  readonly importFrom?: string;
  /** How many sessions a user may have, from 1 to 100,000. Default 1,000. */
  readonly maxSessionsPerUser?: number;
  /** What `identify` does above that: `refuse` throws, `end-oldest` ends the one that rested longest; of more than 100,
   *  the one of the 100 that end first. Default: `refuse` where `maxSessionsPerUser` is given, else `end-oldest`. */
  readonly onSessionLimit?: 'refuse' | 'end-oldest';
  /** How long a secret that `rotate` has replaced is remembered, in milliseconds: a request that still comes with it gets
   *  no new cookie, and after `rotate({ grace: true })` it reads what was there before. Default 30,000. */
  readonly graceMs?: number;
  /** How many entries the stream of lifecycle events keeps, about. Default 10,000. */
  readonly lifecycleLength?: number;
  /** Is given each session that has ended, until it has taken it: your database. Services can do this too. */
  readonly archive?: ArchiveFunction;
  /** Whether this process takes its turn at ending sessions whose time is over. Services do so too. Default true. */
  readonly sweep?: boolean;
}

/** The idle time of a session whose cookie says nothing. */
export const DEFAULT_IDLE_MS = 86_400_000;
const LONGEST_MS = 10 * 365 * 86_400_000;

/** Options with their defaults. */
export interface SessionDataSettings {
  readonly namespace: string;
  readonly idleMs: number | undefined;
  /** 0: without end. */
  readonly absoluteMs: number;
  readonly touchEveryMs: number | undefined;
  readonly deadlineMs: number;
  readonly integerDeltas: IntegerDeltas;
  readonly importFrom: string | undefined;
  readonly maxSessionsPerUser: number;
  readonly onSessionLimit: 'refuse' | 'end-oldest';
  readonly graceMs: number;
  readonly lifecycleLength: number;
}

/** Checks options and fills in the defaults.
 *  @throws RangeError that names a value that cannot be used, or proposes the right name of an option. */
export function settingsOf(options: SessionDataOptions): SessionDataSettings {
  checkOptions('The session store', options, SESSION_DATA_OPTIONS);
  const { absoluteMs, importFrom, integerDeltas = false, maxSessionsPerUser } = options;
  const { onSessionLimit = maxSessionsPerUser === undefined ? 'end-oldest' : 'refuse' } = options;
  if (typeof options.redis !== 'string' && (typeof options.redis !== 'object' || options.redis === null)) {
    throw new RangeError(
      'A session store needs redis: give a redis:// URL, or a client of createClient() or createCluster().',
    );
  }
  if (options.encryption !== undefined && !Array.isArray(options.encryption?.keys)) {
    throw new RangeError('encryption.keys is no list: give encryption: { keys: [key, ...] }.');
  }
  if (onSessionLimit !== 'refuse' && onSessionLimit !== 'end-oldest') {
    throw new RangeError(
      `onSessionLimit ${JSON.stringify(onSessionLimit)} cannot be used: give "refuse" or "end-oldest".`,
    );
  }
  if (importFrom !== undefined && (typeof importFrom !== 'string' || importFrom === '')) {
    throw new RangeError('importFrom cannot be used: give the prefix of the old keys, such as "sess:".');
  }
  if (importFrom !== undefined && options.encryption && options.encryption.acceptPlain !== true) {
    throw new RangeError(
      'importFrom with encryption takes over what is not encrypted, so who can write to Redis could put in sessions of their own. Set encryption.acceptPlain: true until the old sessions have expired, then take out both; or leave importFrom out.',
    );
  }
  const isListOfNames = Array.isArray(integerDeltas) && integerDeltas.every((name) => typeof name === 'string');
  if (typeof integerDeltas !== 'boolean' && !isListOfNames) {
    throw new RangeError(
      `integerDeltas ${JSON.stringify(integerDeltas)} cannot be used: give the names of fields, such as ["count"], or true or false.`,
    );
  }
  return {
    namespace: checkNamespace(options.namespace ?? 'sw'),
    idleMs: optional('idleMs', options.idleMs, 1),
    absoluteMs: absoluteMs === undefined ? 0 : number('absoluteMs', absoluteMs, 1, LONGEST_MS),
    touchEveryMs: optional('touchEveryMs', options.touchEveryMs, 0),
    deadlineMs: number('deadlineMs', options.deadlineMs ?? 1_000, 1, 60_000),
    integerDeltas,
    importFrom,
    maxSessionsPerUser: number(
      'maxSessionsPerUser',
      maxSessionsPerUser === undefined ? 1_000 : maxSessionsPerUser,
      1,
      100_000,
    ),
    onSessionLimit,
    graceMs: number('graceMs', options.graceMs ?? 30_000, 0, 3_600_000),
    lifecycleLength: number('lifecycleLength', options.lifecycleLength ?? 10_000, 1, 100_000_000),
  };
}

function optional(name: string, value: number | undefined, least: number): number | undefined {
  return value === undefined ? undefined : number(name, value, least, LONGEST_MS);
}

function number(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(
    `${name} ${typeof value === 'string' ? JSON.stringify(value) : String(value)} cannot be used: give a whole number from ${least} to ${most}.`,
  );
}
