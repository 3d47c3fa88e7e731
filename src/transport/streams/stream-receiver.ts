import { randomBytes } from 'node:crypto';
import { PARTITIONS, type RedisConnection } from '../../redis/index.ts';
import type { Replies } from '../replies.ts';
import { ownerOf } from './partition-balance.ts';
import { PartitionWorker, type WorkerContext } from './partition-worker.ts';
import { StreamReader } from './stream-reader.ts';
import { DONE_TTL_MS, releasePartition, renewPartition, takePartition } from './stream-scripts.ts';

/* stream-receiver.ts: the service's side of the streams: owns its share of the partitions.
 *
 * A partition is owned under a lease, a key that expires; every commit checks it. An owner that dies is missed when its
 * lease expires; one that stops gives its partitions back. Whose a free partition should be follows from the instances
 * that are there; one that stays free is taken by whoever sees it, because the instance whose it should be may be gone
 * although its last heartbeat is fresh. */

/** How long a partition stays owned without renewal, in milliseconds. */
export const LEASE_MS = 1_200;
const LOOK_INTERVAL_MS = 200;
// A partition that has been free for this long is anybody's.
const FREE_FOR_ANYBODY_MS = 350;
const HAND_OVER_DEADLINE_MS = 1_000;

export interface StreamReceiverOptions extends WorkerContext {
  readonly replies: Replies;
  /** This instance's id. */
  readonly instance: string;
  /** Ids of the other instances that work off streams, as heartbeats tell. */
  readonly others: () => readonly string[];
  /** Whether anything may be served now. */
  readonly enabled: () => boolean;
}

/** Owns partitions, reads their streams and has their requests done. */
export class StreamReceiver {
  readonly #redis: RedisConnection;
  readonly #options: StreamReceiverOptions;
  readonly #reader: StreamReader;
  readonly #workers = new Map<number, PartitionWorker>();
  readonly #freeSince = new Map<number, number>();
  readonly #leaving = new Set<PartitionWorker>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(options: StreamReceiverOptions) {
    this.#redis = options.redis;
    this.#options = options;
    this.#reader = new StreamReader(options.redis);
  }

  /** Requests in hand. */
  get inFlight(): number {
    let sum = 0;
    for (const { inHand } of this.#workers.values()) sum += inHand;
    return sum;
  }

  /** Partitions that this instance owns. */
  get owned(): number {
    return this.#workers.size;
  }

  /** Requests that wait in the owned partitions, as of the last renewal. */
  get backlog(): number {
    let sum = 0;
    for (const { backlog } of this.#workers.values()) sum += backlog;
    return sum;
  }

  /** Takes its share, and goes on looking after it. */
  async start(): Promise<void> {
    await this.#look();
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
    }, LOOK_INTERVAL_MS);
  }

  /** Reads nothing more, finishes what is in hand and gives the partitions back. Whether all was finished within
   *  `deadlineMs`. */
  async stop(deadlineMs: number): Promise<boolean> {
    this.#stopped = true;
    clearInterval(this.#timer);
    const finished = await Promise.all([...this.#workers.values()].map((worker) => this.#giveBack(worker, deadlineMs)));
    this.#reader.stop();
    return finished.every(Boolean);
  }

  async #look(): Promise<void> {
    const { enabled, instance, others } = this.#options;
    this.#forgetLost();
    if (!enabled() || !this.#redis.isConnected) return;
    const instances = [instance, ...others()];
    await Promise.all(
      Array.from({ length: PARTITIONS }, (_, partition) => {
        const isOurs = ownerOf(partition, instances) === instance;
        const worker = this.#workers.get(partition);
        return (worker ? this.#keep(worker, isOurs) : this.#maybeTake(partition, isOurs)).catch(() => undefined);
      }),
    );
    this.#forgetLost();
  }

  // A lease that could not be renewed for its whole time is another's, whatever we believe.
  #forgetLost(): void {
    for (const [partition, worker] of this.#workers) {
      if (performance.now() - worker.renewedAt > LEASE_MS) worker.lose();
      if (!worker.hasEnded) continue;
      this.#workers.delete(partition);
      void this.#release(worker);
    }
  }

  async #keep(worker: PartitionWorker, isOurs: boolean): Promise<void> {
    const { keys, now } = this.#options;
    const { partition, token } = worker;
    const askedAt = performance.now();
    const backlog = await renewPartition.run(
      this.#redis,
      [keys.owner(partition), keys.requests(partition), keys.done(partition)],
      [token, LEASE_MS, Math.floor(now()) - DONE_TTL_MS],
    );
    if (backlog < 0) return worker.lose();
    worker.renewedAt = askedAt;
    worker.backlog = backlog;
    if (!isOurs && !this.#leaving.has(worker)) void this.#giveBack(worker, HAND_OVER_DEADLINE_MS);
  }

  async #maybeTake(partition: number, isOurs: boolean): Promise<void> {
    const key = this.#options.keys.owner(partition);
    if ((await this.#redis.command<number>('EXISTS', key)) === 1) {
      this.#freeSince.delete(partition);
      return;
    }
    const freeSince = this.#freeSince.get(partition) ?? performance.now();
    this.#freeSince.set(partition, freeSince);
    if (!isOurs && performance.now() - freeSince < FREE_FOR_ANYBODY_MS) return;
    const token = `${this.#options.instance}:${randomBytes(6).toString('hex')}`;
    const worker = new PartitionWorker(partition, token, this.#options);
    const taken = await takePartition.run(this.#redis, [key], [token, LEASE_MS]);
    if (taken === 0) return;
    this.#freeSince.delete(partition);
    if (this.#stopped) {
      await releasePartition.run(this.#redis, [key], [token]);
      return;
    }
    this.#workers.set(partition, worker);
    this.#reader.add(worker);
  }

  async #giveBack(worker: PartitionWorker, deadlineMs: number): Promise<boolean> {
    this.#leaving.add(worker);
    const finished = await worker.drain(deadlineMs);
    worker.lose();
    if (this.#workers.get(worker.partition) === worker) this.#workers.delete(worker.partition);
    this.#leaving.delete(worker);
    await this.#release(worker);
    return finished;
  }

  async #release({ partition, token }: PartitionWorker): Promise<void> {
    const key = this.#options.keys.owner(partition);
    if (!this.#redis.isReadyFor(key)) return;
    await releasePartition.run(this.#redis, [key], [token]).catch(() => undefined);
  }
}
