import { connectionCommands } from './connection-commands.ts';
import type { Grant } from './grant.ts';
import { keyPatternsOf } from './key-patterns.ts';

/** What a store may do beside keeping sessions. */
export interface StoreGrantOptions {
  /** The prefix of connect-redis's keys. Default: none are taken over. */
  readonly importFrom?: string | undefined;
  /** Whether it archives ended sessions itself. Default false. */
  readonly archive?: boolean | undefined;
  /** Default false. */
  readonly cluster?: boolean | undefined;
}

/** What a store needs in the serving layer: session data, the indexes of them, and of what was calculated the deletion
 *  with its session. To know which day keys there are it asks for the names of a session's counters, `v` and one per active
 *  day, and for nothing that they hold. */
export function storeGrants(
  namespace: string,
  { importFrom, archive = false, cluster = false }: StoreGrantOptions,
): Grant[] {
  const patterns = keyPatternsOf(namespace);
  const { records, recordsBefore, due, users, lifecycle, sweepLease, outboxes, moved, absent } = patterns;
  return [
    {
      commands: [
        ...connectionCommands(cluster),
        ...['time', 'dbsize', 'eval', 'evalsha'],
        ...['get', 'getrange', 'set', 'setrange', 'exists', 'pttl', 'pexpireat', 'unlink', 'del'],
        ...['zadd', 'zrem', 'zrange', 'zrangebyscore', 'zcount', 'zremrangebyscore', 'xadd'],
        ...(cluster ? ['zscore', 'zcard'] : []),
      ],
      keys: [records, recordsBefore, due, users, lifecycle, sweepLease, ...(cluster ? [outboxes, moved, absent] : [])],
    },
    { commands: ['unlink', 'pexpireat'], writeKeys: patterns.calculated },
    { commands: ['hkeys'], readKeys: [patterns.counters] },
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
    ...(importFrom === undefined ? [] : [{ commands: ['get', 'pttl', 'del'], keys: [`${escaped(importFrom)}*`] }]),
  ];
}

/** An archive's summary is made of what was calculated: views and pages are counted, and none of them can be read; the
 *  first active minute is asked for, and with the same command (BITPOS) all of them can be. */
function archiveGrants(namespace: string, cluster: boolean): Grant[] {
  const patterns = keyPatternsOf(namespace);
  const { records, ended, failed, archiving, archiveLease, lifecycle, outboxes, absent } = patterns;
  const { calculated, counters, seenPages, pageCounts, days } = patterns;
  return [
    // EVAL asks for both ways on the keys that it is given, whatever the script does with them.
    {
      commands: ['eval', 'evalsha'],
      keys: [
        ...[records, ended, lifecycle, archiveLease, ...(cluster ? [outboxes, absent] : [])],
        ...calculated.filter((pattern) => pattern !== days),
      ],
    },
    {
      commands: ['get', 'set', 'del', 'exists', 'zadd', 'zrem', 'zcard', 'zrange', 'zrangebyscore'],
      keys: [ended, failed, archiving, archiveLease],
    },
    {
      commands: ['exists', 'hget', 'scard', 'pfcount', 'bitcount', 'bitpos'],
      readKeys: [counters, seenPages, pageCounts, days],
    },
    { commands: ['pttl', 'pexpire'], keys: [records, ...calculated] },
  ];
}

// What is special in a pattern is a character like others in a prefix.
function escaped(prefix: string): string {
  return prefix.replace(/[\\*?[\]^]/g, '\\$&');
}
