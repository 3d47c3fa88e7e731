import type { SessionRecords } from '../operations/session-records.ts';
import type { UserSessions } from '../users/user-sessions.ts';
import { ConnectRedisImport } from './connect-redis-import.ts';
import { ConnectRedisMirror } from './connect-redis-mirror.ts';
import { MirrorFailures } from './mirror-failures.ts';
import { MirroredReads } from './mirrored-reads.ts';

/** What a store has to do with connect-redis. */
export interface ConnectRedis {
  /** Takes sessions over. */
  readonly takeOver: ConnectRedisImport;
  /** Undefined without `mirrorTo`. */
  readonly mirror: ConnectRedisMirror | undefined;
  /** Reads sessions that connect-redis writes too; undefined without `mirrorTo`. */
  readonly reads: MirroredReads | undefined;
}

/** Makes the parts that `importFrom` and `mirrorTo` ask for; undefined where neither is given. `tell` is given the error of
 *  each copy that could not be written.
 *  @throws RangeError for `mirrorTo` in a Cluster. */
export function openConnectRedis(
  records: SessionRecords,
  users: UserSessions,
  tell: (error: Error) => void,
): ConnectRedis | undefined {
  const { importFrom, mirrorTo } = records.settings;
  if (importFrom === undefined) return undefined;
  if (mirrorTo === undefined) {
    return { takeOver: new ConnectRedisImport(records, importFrom), mirror: undefined, reads: undefined };
  }
  if (records.deferredWrites) {
    throw new RangeError(
      'mirrorTo works on one server, not in a Cluster, where a session and its copy for connect-redis lie on two masters: switch all processes at once, with importFrom.',
    );
  }
  const mirror = new ConnectRedisMirror(records, mirrorTo, new MirrorFailures(tell), (redis, reference) =>
    users.endRecord(redis, reference, 'destroyed'),
  );
  records.mirror = mirror;
  const takeOver = new ConnectRedisImport(records, importFrom, mirror);
  return { takeOver, mirror, reads: new MirroredReads(records, mirror, takeOver) };
}
