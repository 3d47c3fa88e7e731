import type { RedisConnection } from '../../redis/index.ts';
import { BlockingPool } from './blocking-pool.ts';

/** A pool for each master, because BLPOP waits where the list is, and CLIENT UNBLOCK must go to the same server. Outside
 *  a Cluster it is one. If a list's slot moves during a wait, the wait ends as if the connection were lost. */
export class BlockingPools {
  readonly #redis: RedisConnection;
  readonly #sizePerMaster: number;
  readonly #pools = new Map<RedisConnection, BlockingPool>();
  #closed = false;

  constructor(redis: RedisConnection, sizePerMaster: number) {
    this.#redis = redis;
    this.#sizePerMaster = sizePerMaster;
  }

  /** Connections made so far. */
  get size(): number {
    let sum = 0;
    for (const { size } of this.#pools.values()) sum += size;
    return sum;
  }

  /** The pool of the master that holds a list; undefined while that master is unknown, and after `close`. */
  poolFor(key: string): BlockingPool | undefined {
    const master = this.#closed ? undefined : this.#redis.masterFor(key);
    if (master === undefined) return undefined;
    let pool = this.#pools.get(master);
    if (pool === undefined) {
      this.#dropOld();
      pool = new BlockingPool(master, this.#sizePerMaster);
      this.#pools.set(master, pool);
    }
    return pool;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }

  // Where there is a new master, an old one may be none any more.
  #dropOld(): void {
    const masters = this.#redis.masters();
    for (const [master, pool] of this.#pools) {
      if (masters.includes(master)) continue;
      this.#pools.delete(master);
      void pool.close();
    }
  }
}
