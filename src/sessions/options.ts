import { checkNamespace } from '../protocol/index.ts';
import { checkOptions } from '../protocol/internal/index.ts';
import type { ConnectionOptions, RedisClient } from '../redis/index.ts';
import type { ArchiveFunction } from './archived-session.ts';
import { CONNECT_REDIS_OPTIONS, SESSION_DATA_OPTIONS } from './known-options.ts';
import type { IntegerDeltas } from './record/field-changes.ts';

/** Options of a session store; only `redis` is required. */
export interface SessionDataOptions {
  /** A URL, the parts of an address, or a client of node-redis, whose address and login are then used. */
  readonly redis: string | ConnectionOptions | RedisClient;
  /** Whether it has a connection of its own. By default it shares one with the other stores and clients of this process
   *  that are made with equal options: for sessions so large that a client's questions must not wait behind them.
   *  Default false. */
  readonly ownConnection?: boolean;
  /** The store: its data and channels. The same as the service's. Default `sw`. */
  readonly namespace?: string;
  /** Idle time after which a session ends, in milliseconds. Default: its cookie's `maxAge`, or one day without one.
   *  Where both are given, the shorter counts. */
  readonly idleMs?: number;
  /** Longest life of a session, in milliseconds from its first save. Default: unlimited. */
  readonly absoluteMs?: number;
  /** Shortest interval between two renewals of a session that is only read, in milliseconds. A session ends at most
   *  this much later than its idle time, and never earlier. Default: a tenth of the idle time. 0 renews with each
   *  request. */
  readonly touchEveryMs?: number;
  /** Deadline of an operation, in milliseconds. Default 1,000. */
  readonly deadlineMs?: number;
  /** Names of integer fields that are counters: their changes are sent as differences, so that `count++` in parallel
   *  requests adds up, also from a missing field. `true` treats every integer so, a user's number too: two parallel
   *  requests that set `userId = 42` leave 84. Default false. */
  readonly integerDeltas?: boolean | readonly string[];
  /** Encrypts the data at rest. The first key encrypts, all of them decrypt. `acceptPlain`: whether plain data are
   *  read too, and encrypted by their next change; needed while sessions live that are older than the encryption.
   *  Default false: otherwise an attacker with write access to Redis could add sessions. */
  readonly encryption?: { readonly keys: readonly (string | Uint8Array)[]; readonly acceptPlain?: boolean } | undefined;
  /** Prefix of connect-redis's keys (its default is `sess:`). A session that is not found is looked for under that
   *  prefix, taken over, and deleted there. Such sessions are plain: with `encryption`, `acceptPlain` is needed too.
   *  Default: none. */
  readonly importFrom?: string;
  /** Prefix of connect-redis's keys (its default is `sess:`) under which each session is written for processes with
   *  connect-redis too, while a site moves to this store or back. Includes `importFrom` with that prefix: what those
   *  processes write and end counts here. Those keys are usable tokens, and the data in them are plain: not with
   *  `encryption`, and not in a Cluster. Default: none. See docs/migrate-from-connect-redis.md. */
  readonly mirrorTo?: string;
  /** Limit of sessions per user, from 1 to 100,000. Default 1,000. */
  readonly maxSessionsPerUser?: number;
  /** Behaviour of `identify` at that limit: `refuse` throws SessionLimitError, `end-oldest` ends the longest idle
   *  session (of more than 100: among the 100 that end first). Default: `refuse` where `maxSessionsPerUser` is
   *  given, else `end-oldest`. */
  readonly onSessionLimit?: 'refuse' | 'end-oldest';
  /** How long a replaced secret is remembered, in milliseconds. A request that still comes with it gets no new
   *  cookie; after `rotate({ grace: true })` it reads the session as it was before. Default 30,000. */
  readonly graceMs?: number;
  /** Length of the stream of lifecycle events, about. Default 10,000. */
  readonly lifecycleLength?: number;
  /** Stores ended sessions in your database; called for each until it succeeds. Services can do this too. Default: they are
   *  deleted. */
  readonly archive?: ArchiveFunction;
  /** Whether this process helps to end sessions whose time is over. Services do so too. Default true. */
  readonly sweep?: boolean;
}

/** Idle time of a session whose cookie has no end. */
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
  readonly mirrorTo: string | undefined;
  readonly maxSessionsPerUser: number;
  readonly onSessionLimit: 'refuse' | 'end-oldest';
  readonly graceMs: number;
  readonly lifecycleLength: number;
}

/** Checks options and fills in the defaults.
 *  @throws RangeError that names an invalid value, or proposes the right name of an unknown option. */
export function settingsOf(options: SessionDataOptions): SessionDataSettings {
  checkOptions('The session store', options, SESSION_DATA_OPTIONS, CONNECT_REDIS_OPTIONS);
  const { absoluteMs, mirrorTo, importFrom = mirrorTo, integerDeltas = false, maxSessionsPerUser } = options;
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
  checkMirror(options);
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
    mirrorTo,
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

function checkMirror({ mirrorTo, importFrom = mirrorTo, encryption }: SessionDataOptions): void {
  if (mirrorTo === undefined) return;
  if (typeof mirrorTo !== 'string' || mirrorTo === '') {
    throw new RangeError('mirrorTo cannot be used: give the prefix of connect-redis, such as "sess:".');
  }
  if (encryption) {
    throw new RangeError(
      'mirrorTo with encryption would write each session a second time, unencrypted: switch encryption on when no process needs connect-redis any more, and leave out mirrorTo then.',
    );
  }
  if (importFrom !== mirrorTo) {
    throw new RangeError(
      `importFrom ${JSON.stringify(importFrom)} and mirrorTo ${JSON.stringify(mirrorTo)} differ, but connect-redis reads and writes under one prefix: leave out importFrom, mirrorTo includes it.`,
    );
  }
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
