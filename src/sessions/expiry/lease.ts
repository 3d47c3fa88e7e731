import type { RedisConnection } from '../../redis/index.ts';
import { releaseLease, takeLease } from './scripts/lease.ts';

/** Lets one process at a time do a task, until it releases the lease or the lease expires. */
export class Lease {
  readonly #redis: RedisConnection;
  readonly #key: string;
  readonly #holder: string;
  readonly #durationMs: number;

  constructor(redis: RedisConnection, key: string, holder: string, durationMs: number) {
    this.#redis = redis;
    this.#key = key;
    this.#holder = holder;
    this.#durationMs = durationMs;
  }

  /** Takes or renews the lease. Returns whether this process holds it; false where Redis does not answer. True where
   *  Redis is out of memory: tasks under a lease free memory, and doing them twice is harmless. */
  async take(): Promise<boolean> {
    const args = { holder: this.#holder, durationMs: this.#durationMs };
    return takeLease.run(this.#redis, { lease: this.#key }, args).then(
      ({ status }) => status === 'taken',
      (error: Error) => /\bOOM\b/.test(error.message),
    );
  }

  /** Whether this process may do the task now: it holds the lease, or the server of the lease is unavailable while others
   *  of the Cluster are not. A lease only saves work: then every process works on the partitions that it reaches. */
  async mayWork(): Promise<boolean> {
    return this.#redis.isReadyFor(this.#key) ? this.take() : this.#redis.failsInParts;
  }

  /** Releases the lease if this process holds it. Never throws. */
  async release(): Promise<void> {
    if (!this.#redis.isReady) return;
    await releaseLease.run(this.#redis, { lease: this.#key }, { holder: this.#holder }).catch(() => undefined);
  }
}
