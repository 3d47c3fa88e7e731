import { randomBytes } from 'node:crypto';
import { Keys, PARTITIONS, type RedisConnection } from '../../redis/index.ts';
import { type DeferredIndexWrites, deferredIndexWritesOf, eventKeys } from '../cluster/deferred-index-writes.ts';
import { Lease } from './lease.ts';
import { sweepPartition } from './scripts/sweep-partition.ts';

/** How often due sessions are looked for, in milliseconds. */
export const SWEEP_INTERVAL_MS = 2_000;
const AT_ONCE = 200;

/** Ends sessions whose time is over: appends their lifecycle events, and deletes them or leaves them to the archive.
 *  Any number of processes may run one; one at a time works. */
export class Sweeper {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #lifecycleLength: number;
  readonly #intervalMs: number;
  readonly #lease: Lease;
  readonly #enabled: () => boolean;
  readonly #deferredWrites: DeferredIndexWrites | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;

  constructor(
    redis: RedisConnection,
    namespace: string,
    options: {
      readonly lifecycleLength: number;
      readonly intervalMs?: number;
      /** Whether it may work now. Default: always true. */
      readonly enabled?: () => boolean;
    },
  ) {
    this.#redis = redis;
    this.#keys = new Keys(namespace);
    this.#lifecycleLength = options.lifecycleLength;
    this.#intervalMs = options.intervalMs ?? SWEEP_INTERVAL_MS;
    this.#enabled = options.enabled ?? (() => true);
    this.#deferredWrites = deferredIndexWritesOf(redis, this.#keys, options.lifecycleLength);
    this.#lease = new Lease(redis, this.#keys.lease('sweep'), randomBytes(8).toString('hex'), this.#intervalMs * 3);
  }

  /** Starts. Its timer does not keep the process alive. */
  start(): this {
    this.#timer = setInterval(() => {
      this.#sweeping ??= this.#sweepIfOurs().finally(() => {
        this.#sweeping = undefined;
      });
    }, this.#intervalMs).unref();
    return this;
  }

  /** Stops and releases the lease. Waits for nothing: a frozen Redis would not answer. */
  stop(): void {
    clearInterval(this.#timer);
    void this.#lease.release();
  }

  /** Ends all sessions that are due, without regard to the lease. Returns how many were looked at.
   *  @throws the first partition's error, when the others are done. */
  async sweep(): Promise<number> {
    const results = await Promise.allSettled(
      Array.from({ length: PARTITIONS }, (_, partition) => this.#sweepPartition(partition)),
    );
    let total = 0;
    for (const result of results) {
      if (result.status === 'rejected') throw result.reason;
      total += result.value;
    }
    return total;
  }

  async #sweepIfOurs(): Promise<void> {
    if (!this.#enabled() || !(await this.#lease.mayWork())) return;
    // Sessions that fail now are still due at the next interval.
    await this.sweep().catch(() => undefined);
  }

  async #sweepPartition(partition: number): Promise<number> {
    let total = 0;
    for (let count = AT_ONCE; count === AT_ONCE; total += count) {
      count = await sweepPartition
        .for(this.#redis)
        .run(
          this.#redis,
          { due: this.#keys.due(partition), ...eventKeys(this.#redis, this.#keys, partition) },
          { namespace: this.#keys.namespace, lifecycleLength: this.#lifecycleLength, limit: AT_ONCE },
        );
    }
    await this.#deferredWrites?.outbox.move(partition);
    return total;
  }
}
