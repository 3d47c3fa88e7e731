import { randomBytes } from 'node:crypto';
import { PARTITIONS, type RedisConnection } from '../../redis/index.ts';
import { ReplySender } from '../service/reply-sender.ts';
import type { ServiceTransport } from '../service/service-transport.ts';
import { TRY_DEADLINE_MS } from './entry-server.ts';
import { FreedChannel } from './freed-channel.ts';
import type { WorkerContext } from './ownership.ts';
import { heirsOf, ownersOf } from './partition-balance.ts';
import { PartitionTroubles } from './partition-troubles.ts';
import { PartitionWorker } from './partition-worker.ts';
import { PoisonIsolation } from './poison-isolation.ts';
import { releasePartition } from './scripts/release-partition.ts';
import { renewPartition } from './scripts/renew-partition.ts';
import { takePartition } from './scripts/take-partition.ts';
import { StreamReader } from './stream-reader.ts';
import { TryDeadlines } from './try-deadlines.ts';

/* stream-receiver.ts: the service's side of the streams: owns its share of the partitions.
 *
 * Leases have a connection of their own, so that no other command delays a renewal. Writes under a lease go to the
 * server on which it was taken. If a replica that lacks the last writes takes over, the ownership ends, and the next
 * one reads the stream that is there from its beginning.
 *
 * A partition is owned under a lease, a key that expires; every commit checks it. If an owner crashes, its lease
 * expires; if it stops, it gives its partitions back. The present instances determine the next owner of a free
 * partition (partition-balance.ts). If the partition stays free, the first instance that sees it takes it, because the
 * determined owner may be gone although its last heartbeat is fresh. */

/** How long a partition stays owned without renewal, in milliseconds. */
export const LEASE_MS = 1_000;
const LOOK_INTERVAL_MS = 200;
// Any instance may take a partition that has been free for this long.
const FREE_FOR_OTHERS_MS = 150;
const HAND_OVER_DEADLINE_MS = 1_000;
// An instance that has just started is slow at first: it gets its share in steps, so that few pages wait for it.
const HANDED_OVER_AT_ONCE = 4;
// Pause before a partition is taken again after an end for a reason that does not pass by itself.
const FAILED_PAUSE_MS = 1_000;
// Pause before a partition whose ownership was lost is checked again, once.
const LOST_LOOK_MS = 20;

export interface StreamReceiverOptions
  extends Omit<WorkerContext, 'deadlines' | 'isolation' | 'isPresent' | 'onEnd' | 'replies'> {
  /** Carries subscriptions. */
  readonly subscriber: RedisConnection;
  /** This instance's id. */
  readonly instance: string;
  /** Ids of the other instances that work off streams. */
  readonly others: () => readonly string[];
  /** Whether anything may be served now. */
  readonly enabled: () => boolean;
}

/** Owns partitions, reads their streams and has their requests done. */
export class StreamReceiver implements ServiceTransport {
  readonly #redis: RedisConnection;
  readonly #leases: RedisConnection;
  readonly #options: StreamReceiverOptions;
  readonly #isolation = new PoisonIsolation();
  readonly #deadlines = new TryDeadlines(TRY_DEADLINE_MS);
  readonly #reader: StreamReader;
  readonly #replies: ReplySender;
  readonly #freedChannel: FreedChannel;
  readonly #workers = new Map<number, PartitionWorker>();
  readonly #freeSince = new Map<number, number>();
  readonly #failedAt = new Map<number, number>();
  readonly #troubles: PartitionTroubles;
  readonly #leaving = new Set<PartitionWorker>();
  #timer: NodeJS.Timeout | undefined;
  readonly #asking = new Set<number>();
  readonly #releasing = new Set<Promise<void>>();
  #mayHandOver = 0;
  #stopped = false;

  constructor(options: StreamReceiverOptions) {
    this.#redis = options.redis;
    this.#leases = options.redis.duplicate('sessionwise-leases');
    this.#options = options;
    this.#reader = new StreamReader(options.redis);
    const { redis, subscriber, keys, instance, events } = options;
    this.#troubles = new PartitionTroubles(events.failing);
    this.#replies = new ReplySender(redis, keys.namespace, events.unclaimed);
    this.#freedChannel = new FreedChannel(redis, subscriber, keys.namespace, instance);
  }

  /** Requests in hand. */
  get inFlight(): number {
    let sum = 0;
    for (const { inHand } of this.#workers.values()) sum += inHand;
    return sum;
  }

  /** Partitions that this instance owns. */
  get ownedPartitions(): number {
    return this.#workers.size;
  }

  /** Requests that wait in the owned partitions, as of the last renewal. */
  get backlog(): number {
    let sum = 0;
    for (const { backlog } of this.#workers.values()) sum += backlog;
    return sum;
  }

  get trouble(): string | undefined {
    return this.#troubles.first;
  }

  /** Takes its share of the partitions, and adjusts it at each interval. */
  async start(): Promise<void> {
    this.#redis.on('lost', this.#onLost);
    this.#leases.on('lost', () => {});
    await this.#leases.connect();
    await this.#look();
    this.#timer = setInterval(() => void this.#look(), LOOK_INTERVAL_MS);
    await this.#freedChannel.subscribe((instance, partitions) => this.#takeFreed(instance, partitions));
  }

  /** Stops reading, finishes the requests in hand and gives the partitions back. Whether all were finished within
   *  `deadlineMs`. */
  async stop(deadlineMs: number): Promise<boolean> {
    this.#stopped = true;
    this.#redis.off('lost', this.#onLost);
    // Renews the leases until then: requests in hand can be committed only under a lease.
    const finished = await Promise.all([...this.#workers.values()].map((worker) => this.#giveBack(worker, deadlineMs)));
    clearInterval(this.#timer);
    this.#reader.stop();
    await this.#leases.close();
    await Promise.all(this.#releasing);
    this.#freedChannel.flush();
    this.#replies.stop();
    return finished.every(Boolean);
  }

  // Of the partitions that another instance has given back, those that should be ours now are taken at once.
  #takeFreed(by: string, partitions: readonly number[]): void {
    const { enabled, instance, others } = this.#options;
    if (this.#stopped || !enabled()) return;
    const heirs = heirsOf([instance, ...others()], by);
    for (const partition of partitions) {
      if (!this.#workers.has(partition) && heirs[partition] === instance) void this.#lookAt(partition, true);
    }
  }

  async #look(): Promise<void> {
    const { enabled, instance, others } = this.#options;
    this.#forgetLost();
    if (!enabled()) return;
    this.#mayHandOver = HANDED_OVER_AT_ONCE;
    const owners = ownersOf([instance, ...others()]);
    await Promise.all(
      Array.from({ length: PARTITIONS }, (_, partition) => this.#lookAt(partition, owners[partition] === instance)),
    );
    this.#forgetLost();
  }

  // Each partition by itself: in a Cluster one master that has frozen must not keep the others' leases from renewal.
  async #lookAt(partition: number, isOurs: boolean): Promise<void> {
    if (this.#asking.has(partition) || !this.#isReadyFor(partition)) return;
    const worker = this.#workers.get(partition);
    if (this.#stopped && !worker) return;
    this.#asking.add(partition);
    const asked = worker ? this.#renewLease(worker, isOurs) : this.#maybeTake(partition, isOurs);
    await asked.catch((error: Error) => this.#troubles.note(partition, error));
    this.#asking.delete(partition);
  }

  #isReadyFor(partition: number): boolean {
    const key = this.#options.keys.owner(partition);
    return this.#redis.isReadyFor(key) && this.#leases.isReadyFor(key);
  }

  // Ends ownerships on a lost server: it may come back without its last second, so its streams are read again.
  readonly #onLost = (): void => {
    for (const worker of this.#workers.values()) {
      if (!this.#redis.failsInParts || !this.#redis.isReadyFor(worker.key)) worker.lose();
    }
  };

  // Ends ownerships whose lease was not renewed for its whole time: another instance may own the partition by now.
  #forgetLost(): void {
    for (const [partition, worker] of this.#workers) {
      if (performance.now() - worker.renewedAt > LEASE_MS) worker.lose();
      if (!worker.hasEnded) continue;
      this.#workers.delete(partition);
      void this.#release(worker);
    }
  }

  async #renewLease(worker: PartitionWorker, isOurs: boolean): Promise<void> {
    const { keys, now } = this.#options;
    const { partition, token } = worker;
    const askedAt = performance.now();
    const renewed = await renewPartition.run(
      worker.leases,
      { owner: keys.owner(partition), requests: keys.requests(partition), done: keys.done(partition) },
      { token, leaseMs: LEASE_MS, now: Math.floor(now()), position: worker.position, oldest: worker.oldestInHand },
    );
    this.#troubles.clear(partition);
    if (renewed === null) return worker.lose();
    worker.renew(askedAt, ...renewed);
    if (isOurs || this.#mayHandOver === 0 || this.#leaving.has(worker)) return;
    this.#mayHandOver -= 1;
    void this.#giveBack(worker, HAND_OVER_DEADLINE_MS);
  }

  async #maybeTake(partition: number, isOurs: boolean): Promise<void> {
    const { keys, instance } = this.#options;
    if (performance.now() < (this.#failedAt.get(partition) ?? Number.NEGATIVE_INFINITY) + FAILED_PAUSE_MS) return;
    const key = keys.owner(partition);
    const ours = `${instance}:`;
    const owner = await this.#leases.command<string | null>('GET', key);
    if (owner !== null && !owner.startsWith(ours)) {
      this.#freeSince.delete(partition);
      this.#troubles.clear(partition);
      return;
    }
    const freeSince = this.#freeSince.get(partition) ?? performance.now();
    this.#freeSince.set(partition, freeSince);
    if (owner === null && !isOurs && performance.now() - freeSince < FREE_FOR_OTHERS_MS) return;
    await this.#take(partition, key, ours);
  }

  async #take(partition: number, key: string, ours: string): Promise<void> {
    const redis = this.#redis.pinnedFor(key);
    const leases = this.#leases.pinnedFor(key);
    if (redis === undefined || leases === undefined) return;
    const token = `${ours}${randomBytes(6).toString('hex')}`;
    // An owner crashed at most one interval after its last renewal, and the lease of that renewal has expired since.
    const inFlightUntil = this.#options.now() - (LEASE_MS - 2 * LOOK_INTERVAL_MS);
    const isCautious = this.#failedAt.has(partition);
    const worker = new PartitionWorker(
      { partition, token, redis, leases, inFlightUntil, isCautious },
      {
        ...this.#options,
        events: { ...this.#options.events, failing: this.#troubles.note },
        replies: this.#replies,
        isPresent: (other) => this.#options.others().includes(other),
        isolation: this.#isolation,
        deadlines: this.#deadlines,
        onEnd: this.#onEnd,
      },
    );
    const keys = { owner: key, tries: this.#options.keys.tries(partition) };
    const tries = await takePartition.run(leases, keys, { token, leaseMs: LEASE_MS, instancePrefix: ours });
    if (tries === null) return;
    this.#freeSince.delete(partition);
    this.#failedAt.delete(partition);
    if (this.#stopped) {
      await releasePartition.run(leases, { owner: key }, { token });
    } else {
      worker.knowTries(tries);
      this.#workers.set(partition, worker);
      this.#reader.add(worker);
    }
  }

  readonly #onEnd = (worker: PartitionWorker, hasFailed: boolean): void => {
    if (this.#stopped || this.#leaving.has(worker)) return;
    if (hasFailed) this.#failedAt.set(worker.partition, performance.now());
    else setTimeout(() => this.#lookAgain(worker.partition), LOST_LOOK_MS).unref();
  };

  #lookAgain(partition: number): void {
    const { enabled, instance, others } = this.#options;
    this.#forgetLost();
    if (this.#stopped || !enabled() || this.#workers.has(partition)) return;
    void this.#lookAt(partition, ownersOf([instance, ...others()])[partition] === instance);
  }

  async #giveBack(worker: PartitionWorker, deadlineMs: number): Promise<boolean> {
    this.#leaving.add(worker);
    const finished = await worker.drain(deadlineMs);
    if (!finished) worker.takeMarksBack();
    worker.lose();
    if (this.#workers.get(worker.partition) === worker) this.#workers.delete(worker.partition);
    this.#leaving.delete(worker);
    // Does not wait for the release: a frozen Redis answers too late, and the lease expires by itself.
    const releasing = this.#release(worker).then((isFree) => {
      if (isFree) this.#freedChannel.add(worker.partition);
      this.#releasing.delete(releasing);
    });
    this.#releasing.add(releasing);
    return finished;
  }

  async #release({ partition, token }: PartitionWorker): Promise<boolean> {
    const key = this.#options.keys.owner(partition);
    if (!this.#leases.isReadyFor(key)) return false;
    return releasePartition.run(this.#leases, { owner: key }, { token }).then(
      ({ status }) => status === 'released',
      () => false,
    );
  }
}
