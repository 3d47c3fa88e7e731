import type { RedisConnection } from '../../redis/index.ts';
import { releaseLease, takeLease } from './scripts/lease.ts';

/** A task that one process at a time does: who holds the lease does it, until it is given back or runs out. */
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

  /** Takes or renews it. Whether it is ours now; false as well where Redis does not answer. Where Redis has no memory
   *  left for it, everybody has it: what is done under a lease frees memory, and doing it twice does no harm. */
  async take(): Promise<boolean> {
    const args = { holder: this.#holder, durationMs: this.#durationMs };
    return takeLease.run(this.#redis, { lease: this.#key }, args).then(
      ({ status }) => status === 'taken',
      (error: Error) => /\bOOM\b/.test(error.message),
    );
  }

  /** Gives it back, if it is ours. Never throws. */
  async release(): Promise<void> {
    if (!this.#redis.isReady) return;
    await releaseLease.run(this.#redis, { lease: this.#key }, { holder: this.#holder }).catch(() => undefined);
  }
}
