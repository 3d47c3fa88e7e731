import { type Keys, partitionOf, type RedisConnection } from '../../redis/index.ts';
import type { RecordHeader } from '../record/record-header.ts';
import { Outbox } from './outbox.ts';
import { UserIndex } from './user-index.ts';

/** What a store does beside its steps in a Cluster, where a step reaches one slot only. It is done behind the caller's
 *  back: the record is written, and what fails here is made good by the next renewal, by the sweepers, or by whoever
 *  reads the index. */
export class ClusterSide {
  readonly index: UserIndex;
  readonly outbox: Outbox;
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys, lifecycleLength: number) {
    this.#redis = redis;
    this.#keys = keys;
    this.index = new UserIndex(keys);
    this.outbox = new Outbox(redis, keys, this.index, lifecycleLength);
  }

  /** A step has told a lifecycle event. */
  told(session: string): void {
    this.outbox.moveSoon(partitionOf(session));
  }

  /** A step has left a session with this header. `before`: when it was to end until then, undefined where that is not
   *  known. An entry of the partition's index may be early, as the sweeper looks into the record, but not late. */
  renewed(session: string, { user, expiresAt }: RecordHeader, before: number | undefined): void {
    if (before === expiresAt) return;
    if (before === undefined || expiresAt < before) {
      const due = this.#keys.due(partitionOf(session));
      this.#redis.command('ZADD', due, String(expiresAt), session).catch(() => undefined);
    }
    if (user !== undefined) this.index.confirm(this.#redis, user, session, expiresAt).catch(() => undefined);
  }

  /** A place in a user's index is the session's by now. */
  confirmed(user: string, session: string, expiresAt: number, claim: string | undefined): void {
    this.index.confirm(this.#redis, user, session, expiresAt, claim).catch(() => undefined);
  }

  /** A place was claimed, and nothing came of it. */
  released(user: string, session: string, claim: string): void {
    this.index.release(this.#redis, user, session, claim).catch(() => undefined);
  }

  /** Members of a user's index were found that are not the user's. */
  foundStrangers(user: string, members: readonly string[]): void {
    this.index.removeStrangers(this.#redis, user, members).catch(() => undefined);
  }
}

/** For those who work on a namespace without a store; undefined outside a Cluster. */
export function clusterSideOf(redis: RedisConnection, keys: Keys, lifecycleLength: number): ClusterSide | undefined {
  return redis.isCluster ? new ClusterSide(redis, keys, lifecycleLength) : undefined;
}

/** Names the deployment of a store to scripts and keys that have a form for each. `cluster`: what the store does beside its
 *  steps in a Cluster; undefined outside one. */
export function deploymentOf(cluster: ClusterSide | undefined): { readonly isCluster: boolean } {
  return { isCluster: cluster !== undefined };
}

/** The keys of a step that changes more of a session than its record: the record, where lifecycle events go, and in a
 *  Cluster what keeps the step whole while its slot moves. */
export function stepKeys(redis: { readonly isCluster: boolean }, keys: Keys, session: string): string[] {
  const partition = partitionOf(session);
  return redis.isCluster
    ? [keys.record(session), keys.outbox(partition), keys.absent(partition)]
    : [keys.record(session), keys.lifecycle()];
}
