import type { RedisConnection } from '../redis/index.ts';
import { scratchKey } from '../redis/index.ts';
import { mergeUnique } from './scripts/merge-unique.ts';

/** A count of different items (HyperLogLog, standard error 0.81 %) in a key of its own: beside a seen filter, or of
 *  the items of several sessions together. */
export class UniqueCount {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Adds item keys. Returns whether the estimate changed. */
  async add(key: string, items: readonly string[]): Promise<boolean> {
    return items.length > 0 && (await this.#redis.command<number>('PFADD', key, ...items)) === 1;
  }

  /** How many different ones; 0 for an absent key. */
  async count(key: string): Promise<number> {
    return this.#redis.command<number>('PFCOUNT', key);
  }

  /** Merges `sources` into `target`, which afterwards counts their union. The keys may lie in different slots of a
   *  Cluster: the sources are read first, and merged in one atomic step. A set (seen items in their small form) counts
   *  as a source too. `target` keeps its expiry. Returns the count of the union. */
  async merge(target: string, sources: readonly string[]): Promise<number> {
    const read = await Promise.all(sources.map((source) => this.#read(source)));
    const blobs = read.filter((source) => Buffer.isBuffer(source));
    const members = read.filter((source) => Array.isArray(source)).flat();
    const keys = { target, scratch: scratchKey(target) };
    return mergeUnique.run(this.#redis, keys, { logs: blobs.length }, { args: [...blobs, ...members] });
  }

  async #read(source: string): Promise<Buffer | string[]> {
    try {
      return await this.#redis.command<string[]>('SMEMBERS', source);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('WRONGTYPE')) throw error;
      return (await this.#redis.commandForBuffers<Buffer | null>('GET', source)) ?? [];
    }
  }
}
