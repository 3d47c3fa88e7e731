import { type CommandConnection, type Keys, PARTITIONS, partitionOf, RedisClock } from '../../redis/index.ts';
import { readTime } from './scripts/read-time.ts';

/** Redis's clocks, as measured by this process. In a Cluster each master has its own clock, and a session's times are by
 *  the clock of the master that holds it; so each partition is measured. */
export class PartitionClocks {
  readonly #redis: CommandConnection & { readonly isCluster: boolean };
  readonly #keys: Keys;
  readonly #general = new RedisClock();
  readonly #partitions: readonly RedisClock[];

  constructor(redis: CommandConnection & { readonly isCluster: boolean }, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
    this.#partitions = redis.isCluster ? Array.from({ length: PARTITIONS }, () => new RedisClock()) : [];
  }

  /** The clock of the server that holds a session; without a session the clock of any server. */
  of(session?: string): RedisClock {
    if (session === undefined) return this.#general;
    return this.#partitions[partitionOf(session)] ?? this.#general;
  }

  /** Whether the time is known by which a session ends. The masters of a Cluster may disagree about the time, so the clock
   *  of a master that was not measured yet is not guessed; that of a single server is near enough. */
  knowsTimeOf(session: string): boolean {
    return this.#partitions.length === 0 || this.of(session).isMeasured;
  }

  /** Reads the clock of the server that holds `key`, in milliseconds of the epoch: for decisions that a measured clock is
   *  not exact enough for. */
  async read(redis: CommandConnection, key: string): Promise<number> {
    return this.#partitions.length === 0 ? toMs(await redis.command<[string, string]>('TIME')) : serverTime(redis, key);
  }

  /** Measures all clocks.
   *  @throws what Redis answers, where no server answers. */
  async measure(): Promise<void> {
    const results = await Promise.allSettled([
      this.#general.measure(this.#redis),
      ...this.#partitions.map((_, partition) => this.measurePartition(partition)),
    ]);
    const [first] = results;
    if (first?.status === 'rejected') throw first.reason;
  }

  /** Measures the clock of a partition's master.
   *  @throws what Redis answers, where that master does not answer. */
  async measurePartition(partition: number): Promise<void> {
    await this.#partitions[partition]?.measure(timeOf(this.#redis, this.#keys.due(partition)));
  }
}

/** A connection that answers every command with the time of the server that holds a key: a clock measures with it. */
function timeOf(redis: CommandConnection, key: string): Pick<CommandConnection, 'command'> {
  return { command: <Reply>() => readTime.run(redis, { key }, {}) as Promise<Reply> };
}

/** Reads the time of the server that holds a key, in milliseconds of the epoch. */
export async function serverTime(redis: CommandConnection, key: string): Promise<number> {
  return toMs(await readTime.run(redis, { key }, {}));
}

function toMs([seconds, microseconds]: readonly [string, string]): number {
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}
