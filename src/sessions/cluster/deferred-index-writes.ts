import { type Keys, partitionOf, type RedisConnection } from '../../redis/index.ts';
import type { RecordHeader } from '../record/record-header.ts';
import { Outbox } from './outbox.ts';
import { UserIndex } from './user-index.ts';

/** What a store does beside its steps in a Cluster, where a step reaches one slot only. It is done behind the caller's
 *  back: the record is written, and what fails here is made good by the next renewal, by the sweepers, or by whoever
 *  reads the index. */
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

  /** A step has told a lifecycle event. */
  moveEventsSoon(session: string): void {
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
  confirmed(user: string, session: string, expiresAt: number, reservation: string | undefined): void {
    this.index.confirm(this.#redis, user, session, expiresAt, reservation).catch(() => undefined);
  }

  /** A place was claimed, and nothing came of it. */
  released(user: string, session: string, reservation: string): void {
    this.index.release(this.#redis, user, session, reservation).catch(() => undefined);
  }

  /** Members of a user's index were found that are not the user's. */
  foundStrangers(user: string, members: readonly string[]): void {
    this.index.removeStrangers(this.#redis, user, members).catch(() => undefined);
  }
}

/** For those who work on a namespace without a store; undefined outside a Cluster. */
export function deferredIndexWritesOf(
  redis: RedisConnection,
  keys: Keys,
  lifecycleLength: number,
): DeferredIndexWrites | undefined {
  return redis.isCluster ? new DeferredIndexWrites(redis, keys, lifecycleLength) : undefined;
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
