import { Keys, PARTITIONS, type RedisConnection } from '../../redis/index.ts';
import type { People } from './people.ts';

const AT_ONCE = 100;

/** Looks at the claimed sessions whose time has come: merges what a process left unmerged, and lets sessions retire. */
export class MergeSweep {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #people: People;

  constructor(redis: RedisConnection, namespace: string, people: People) {
    this.#redis = redis;
    this.#keys = new Keys(namespace);
    this.#people = people;
  }

  /** Does one sweep over all partitions. Returns at how many sessions it looked. What fails is looked at by the next one.
   *  @throws the first partition's error, when the others are done. */
  async sweep(now: number): Promise<number> {
    const swept = await Promise.allSettled(
      Array.from({ length: PARTITIONS }, (_, partition) => this.#sweepPartition(partition, now)),
    );
    let total = 0;
    for (const result of swept) {
      if (result.status === 'rejected') throw result.reason;
      total += result.value;
    }
    return total;
  }

  async #sweepPartition(partition: number, now: number): Promise<number> {
    const due = ['-inf', String(Math.floor(now)), 'LIMIT', '0', String(AT_ONCE)];
    const sessions = await this.#redis.command<string[]>('ZRANGEBYSCORE', this.#keys.merging(partition), ...due);
    const looked = await Promise.allSettled(sessions.map((session) => this.#people.lookAt(session)));
    const failed = looked.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
    if (failed) throw failed.reason;
    return sessions.length;
  }
}
