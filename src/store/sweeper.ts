import { randomBytes } from 'node:crypto';
import { Keys, PARTITIONS, type RedisConnection } from '../redis/index.ts';
import { Lease } from './lease.ts';
import { sweepPartition } from './scripts/sweep-partition.ts';

/** How often due sessions are looked for, in milliseconds. */
export const SWEEP_INTERVAL_MS = 2_000;
const AT_ONCE = 200;

/** Ends sessions whose time is over: their end is told, and they are gone or wait for the archive. Any number of
 *  processes may have one; one at a time works. */
export class Sweeper {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #lifecycleLength: number;
  readonly #intervalMs: number;
  readonly #lease: Lease;
  readonly #enabled: () => boolean;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;

  constructor(
    redis: RedisConnection,
    namespace: string,
    options: {
      readonly lifecycleLength: number;
      readonly intervalMs?: number;
      /** Whether it may work now. Default: always. */
      readonly enabled?: () => boolean;
    },
  ) {
    this.#redis = redis;
    this.#keys = new Keys(namespace);
    this.#lifecycleLength = options.lifecycleLength;
    this.#intervalMs = options.intervalMs ?? SWEEP_INTERVAL_MS;
    this.#enabled = options.enabled ?? (() => true);
    this.#lease = new Lease(redis, this.#keys.lease('sweep'), randomBytes(8).toString('hex'), this.#intervalMs * 3);
  }

  /** Begins. It keeps no process alive. */
  start(): this {
    this.#timer = setInterval(() => {
      this.#sweeping ??= this.#sweepIfOurs().finally(() => {
        this.#sweeping = undefined;
      });
    }, this.#intervalMs).unref();
    return this;
  }

  /** Ends, and leaves the work to others. Waits for nothing: a frozen Redis would not answer. */
  stop(): void {
    clearInterval(this.#timer);
    void this.#lease.release();
  }

  /** Ends all sessions that are due now, whoever's turn it is. How many were looked at. */
  async sweep(): Promise<number> {
    const counts = await Promise.all(
      Array.from({ length: PARTITIONS }, (_, partition) => this.#sweepPartition(partition)),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async #sweepIfOurs(): Promise<void> {
    // What fails now is due the next time as well.
    if (this.#redis.isReady && this.#enabled() && (await this.#lease.take())) await this.sweep().catch(() => undefined);
  }

  async #sweepPartition(partition: number): Promise<number> {
    let total = 0;
    for (let count = AT_ONCE; count === AT_ONCE; total += count) {
      count = await sweepPartition.run(
        this.#redis,
        [this.#keys.due(partition), this.#keys.lifecycle()],
        [this.#keys.namespace, this.#lifecycleLength, AT_ONCE],
      );
    }
    return total;
  }
}
