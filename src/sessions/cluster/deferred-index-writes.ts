import { type Keys, partitionOf, type RedisConnection } from '../../redis/index.ts';
import type { RecordHeader } from '../record/record-header.ts';
import { Outbox } from './outbox.ts';
import { UserIndex } from './user-index.ts';

/** Writes indexes in a Cluster after the step that wrote the record, because one step reaches one slot only. The
 *  caller does not wait. A write that fails here is repaired by the next renewal, by the sweepers, or by the next
 *  reader of the index. */
export class DeferredIndexWrites {
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

  /** Moves the lifecycle event that a step has left in the outbox of the session's partition. */
  moveEventsSoon(session: string): void {
    this.outbox.moveSoon(partitionOf(session));
  }

  /** Updates the indexes after a step that left this header. `before`: the session's end until then; undefined:
   *  unknown. The expiry index may be too early, because the sweeper reads the record, but never too late. */
  renewed(session: string, { user, expiresAt }: RecordHeader, before: number | undefined): void {
    if (before === expiresAt) return;
    if (before === undefined || expiresAt < before) {
      const due = this.#keys.due(partitionOf(session));
      this.#redis.command('ZADD', due, String(expiresAt), session).catch(() => undefined);
    }
    if (user !== undefined) this.index.confirm(this.#redis, user, session, expiresAt).catch(() => undefined);
  }

  /** Confirms a session's entry in its user's index. */
  confirmed(user: string, session: string, expiresAt: number, reservation: string | undefined): void {
    this.index.confirm(this.#redis, user, session, expiresAt, reservation).catch(() => undefined);
  }

  /** Releases a reservation whose login failed. */
  released(user: string, session: string, reservation: string): void {
    this.index.release(this.#redis, user, session, reservation).catch(() => undefined);
  }

  /** Removes members of a user's index that were found not to belong to the user. */
  foundStrangers(user: string, members: readonly string[]): void {
    this.index.removeStrangers(this.#redis, user, members).catch(() => undefined);
  }
}

/** Makes the deferred writes of a namespace; undefined outside a Cluster, where each step writes the indexes itself. */
export function deferredIndexWritesOf(
  redis: RedisConnection,
  keys: Keys,
  lifecycleLength: number,
): DeferredIndexWrites | undefined {
  return redis.isCluster ? new DeferredIndexWrites(redis, keys, lifecycleLength) : undefined;
}

/** Names the deployment of a store to scripts and keys that have a form for each. `deferredWrites`: undefined outside a
 *  Cluster. */
export function deploymentOf(deferredWrites: DeferredIndexWrites | undefined): { readonly isCluster: boolean } {
  return { isCluster: deferredWrites !== undefined };
}

/** The keys that a step needs for lifecycle events. */
export interface EventKeys {
  /** The stream that the step appends to. */
  readonly lifecycle: string;
  /** In a Cluster, a key that keeps the step whole while its slot moves. */
  readonly absent?: string;
}

/** The keys of lifecycle events for a step within a partition. */
export function eventKeys(redis: { readonly isCluster: boolean }, keys: Keys, partition: number): EventKeys {
  return redis.isCluster
    ? { lifecycle: keys.outbox(partition), absent: keys.absent(partition) }
    : { lifecycle: keys.lifecycle() };
}

/** The keys of a step that changes more of a session than its record. */
export function stepKeys(
  redis: { readonly isCluster: boolean },
  keys: Keys,
  session: string,
): EventKeys & { readonly record: string } {
  return { record: keys.record(session), ...eventKeys(redis, keys, partitionOf(session)) };
}
