import { connectionCommands } from './connection-commands.ts';
import { consumerGrant } from './consumer-grant.ts';
import type { Grant } from './grant.ts';
import { escapedPrefix, keyPatternsOf } from './key-patterns.ts';

/** Optional rights of a store. */
export interface StoreGrantOptions {
  /** The prefix of connect-redis's keys. Default: none are taken over. */
  readonly importFrom?: string | undefined;
  /** The prefix under which sessions are written for connect-redis too. Default: none are. */
  readonly mirrorTo?: string | undefined;
  /** Whether it archives ended sessions itself. Default false. */
  readonly archive?: boolean | undefined;
  /** Whether it consumes lifecycle events. Default false. */
  readonly consume?: boolean | undefined;
  /** Default false. */
  readonly cluster?: boolean | undefined;
}

/** Grants a store in the serving layer session data, its indexes, and the deletion of calculated data together with the
 *  session. */
export function storeGrants(
  namespace: string,
  { mirrorTo, importFrom = mirrorTo, archive = false, consume = false, cluster = false }: StoreGrantOptions,
): Grant[] {
  const patterns = keyPatternsOf(namespace);
  const { records, recordsBefore, due, users, lifecycle, sweepLease, outboxes, moved, absent, ended, failed } =
    patterns;
  return [
    {
      commands: [
        ...connectionCommands(cluster),
        ...['time', 'dbsize', 'eval', 'evalsha'],
        ...['get', 'getrange', 'set', 'setrange', 'exists', 'pttl', 'pexpireat', 'unlink', 'del'],
        ...['zadd', 'zrem', 'zrange', 'zrangebyscore', 'zcount', 'zremrangebyscore', 'xadd'],
        ...['zscore'],
        ...(cluster ? ['zcard'] : []),
      ],
      keys: [records, recordsBefore, due, users, lifecycle, sweepLease, ...(cluster ? [outboxes, moved, absent] : [])],
    },
    { commands: ['unlink', 'pexpireat'], writeKeys: patterns.calculated },
    { commands: ['set'], writeKeys: [patterns.subjects] },
    // To erase and export what is stored of a user: the events of their sessions, and those that wait for the archive.
    { commands: ['xrange', 'xdel'], keys: [lifecycle] },
    { commands: ['eval', 'evalsha', 'zscan', 'zrem'], keys: [ended, failed, ...(cluster ? [absent] : [])] },
    ...(cluster
      ? [
          { commands: ['xrange', 'xdel', 'xlen', 'xinfo|stream'], keys: [outboxes] },
          { commands: ['zremrangebyrank', 'expire'], keys: [moved] },
        ]
      : []),
    ...(archive
      ? archiveGrants(namespace, cluster)
      : [
          { commands: ['exists'], readKeys: [patterns.archiving] },
          { commands: ['zadd'], writeKeys: [patterns.ended] },
        ]),
    ...(importFrom === undefined
      ? []
      : [{ commands: ['get', 'pttl', 'del'], keys: [`${escapedPrefix(importFrom)}*`] }]),
    ...(consume ? [consumerGrant(lifecycle)] : []),
    ...(mirrorTo === undefined ? [] : mirrorGrants(mirrorTo, records, patterns.mirrorBases)),
  ];
}

/** Grants a store that writes sessions for connect-redis too. */
function mirrorGrants(prefix: string, records: string, bases: string): Grant[] {
  return [
    { commands: ['set', 'unlink'], keys: [`${escapedPrefix(prefix)}*`] },
    { commands: ['eval', 'evalsha'], keys: [records, bases] },
    { commands: ['hget', 'hmget', 'hset', 'pexpireat', 'unlink'], keys: [bases] },
  ];
}

/** Grants a store that archives the calculated data of a summary. It could read records of subjects whole: the items in
 *  them are encrypted, the minutes are not. */
function archiveGrants(namespace: string, cluster: boolean): Grant[] {
  const patterns = keyPatternsOf(namespace);
  const { records, ended, failed, archiving, archiveLease, lifecycle, outboxes, absent } = patterns;
  const { calculated, subjects, pageCounts } = patterns;
  return [
    // EVAL needs read and write access to all of its keys, even where the script does only one of them.
    {
      commands: ['eval', 'evalsha'],
      keys: [...[records, ended, lifecycle, archiveLease, ...(cluster ? [outboxes, absent] : [])], ...calculated],
    },
    {
      commands: ['get', 'set', 'del', 'exists', 'zadd', 'zrem', 'zcard', 'zrange', 'zrangebyscore'],
      keys: [ended, failed, archiving, archiveLease],
    },
    { commands: ['get'], readKeys: [subjects] },
    { commands: ['pfcount'], readKeys: [pageCounts] },
    { commands: ['pttl', 'pexpire'], keys: [records, ...calculated] },
  ];
}
