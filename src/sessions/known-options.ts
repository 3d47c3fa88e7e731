import type { OptionForms } from '../protocol/internal/index.ts';
import type { SessionDataOptions } from './options.ts';

/** What stands here in place of connect-redis's options. */
export const CONNECT_REDIS_OPTIONS: Readonly<Record<string, string>> = {
  client: "connect-redis's client is `redis` here: the same client of node-redis, or a URL.",
  prefix:
    "where connect-redis's keys are, say `importFrom` or `mirrorTo`; ours begin with `namespace` (docs/migrate-from-connect-redis.md).",
  ttl: "connect-redis's ttl, in seconds, is `idleMs` here, in milliseconds.",
  disableTTL: 'every session ends: give `idleMs`, up to ten years.',
  disableTouch: 'for an end that no visit moves give `absoluteMs`; `touchEveryMs` says how often a visit renews.',
  serializer: 'fields are stored as JSON; leave it out.',
  scanCount: 'nothing is scanned; leave it out.',
};

/** The forms of session data's options; `any` is checked by `settingsOf`. */
export const SESSION_DATA_OPTIONS: OptionForms<SessionDataOptions> = {
  redis: 'any',
  ownConnection: 'boolean',
  namespace: 'string',
  idleMs: 'any',
  absoluteMs: 'any',
  touchEveryMs: 'any',
  deadlineMs: 'any',
  integerDeltas: 'any',
  encryption: 'any',
  importFrom: 'any',
  mirrorTo: 'any',
  maxSessionsPerUser: 'any',
  onSessionLimit: 'any',
  graceMs: 'any',
  lifecycleLength: 'any',
  archive: 'function',
  sweep: 'boolean',
};
