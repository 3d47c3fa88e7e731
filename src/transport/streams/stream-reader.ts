import { setTimeout as pause } from 'node:timers/promises';
import { isTransient, type RedisConnection } from '../../redis/index.ts';
import { IN_HAND_LIMIT, type PartitionWorker } from './partition-worker.ts';

/* stream-reader.ts: reads the streams of owned partitions over connections that block. Outside a Cluster one connection
 * reads all of them; in a Cluster each partition has its own, because one XREAD reaches one slot. */

const BLOCK_MS = 100;
// While a partition has no room it is left out, and what it frees would wait for the others' silence.
const SHORT_BLOCK_MS = 5;
const PAUSE_MS = 20;
// A partition gets a turn when a fair batch fits.
const LEAST_ROOM: number = IN_HAND_LIMIT / 4;

type Entries = [id: string, fields: string[]][];

/** Reads for workers until each has ended. */
export class StreamReader {
  readonly #redis: RedisConnection;
  readonly #lines = new Set<Line>();
  #stopped = false;

  /** `redis`: what the connections are made after. */
  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Begins to read for a worker. It ends with the worker. */
  add(worker: PartitionWorker): void {
    if (this.#stopped) return;
    const [shared] = this.#lines;
    if (shared && !this.#redis.isCluster) {
      shared.workers.add(worker);
      return;
    }
    const connection = this.#redis.isCluster
      ? this.#redis.duplicateFor(worker.key, 'sessionwise-streams')
      : this.#redis.duplicate('sessionwise-streams');
    const line = new Line(connection, new Set([worker]), this.#redis.isCluster);
    this.#lines.add(line);
    void line.read().finally(() => this.#lines.delete(line));
  }

  /** Ends all connections. */
  stop(): void {
    this.#stopped = true;
    for (const line of this.#lines) line.close();
  }
}

/** One connection and the workers that it reads for. */
class Line {
  readonly workers: Set<PartitionWorker>;
  readonly #connection: RedisConnection;
  readonly #endsWithWorkers: boolean;
  #closed = false;

  constructor(connection: RedisConnection, workers: Set<PartitionWorker>, endsWithWorkers: boolean) {
    this.#connection = connection;
    this.workers = workers;
    this.#endsWithWorkers = endsWithWorkers;
    connection.on('lost', () => {});
    connection.open();
  }

  /** Until it is closed, or (where it ends with its workers) they have all ended. */
  async read(): Promise<void> {
    while (!this.#closed) {
      for (const worker of this.workers) if (worker.hasEnded) this.workers.delete(worker);
      if (this.#endsWithWorkers && this.workers.size === 0) break;
      const open = [...this.workers].filter(({ room }) => room >= LEAST_ROOM);
      if (open.length === 0 || !this.#connection.isReady) {
        const isFull = this.workers.size > 0 && this.#connection.isReady;
        await pause(isFull ? SHORT_BLOCK_MS : PAUSE_MS);
      } else {
        const blockMs = open.length === this.workers.size ? BLOCK_MS : SHORT_BLOCK_MS;
        await this.#readOnce(open, blockMs).catch((error: unknown) =>
          isTransient(error) ? pause(PAUSE_MS) : this.#readEach(open),
        );
      }
    }
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.destroy();
  }

  // One stream that cannot be read must not keep the others from being read.
  async #readEach(open: readonly PartitionWorker[]): Promise<void> {
    for (const worker of open) {
      await this.#readOnce([worker]).catch((error: unknown) => {
        if (!isTransient(error)) worker.fail(error as Error);
      });
    }
    await pause(PAUSE_MS);
  }

  async #readOnce(open: readonly PartitionWorker[], blockMs?: number): Promise<void> {
    const reply = await this.#connection.command<Record<string, Entries> | null>(
      'XREAD',
      'COUNT',
      String(LEAST_ROOM),
      ...(blockMs === undefined ? [] : ['BLOCK', String(blockMs)]),
      'STREAMS',
      ...open.map(({ key }) => key),
      ...open.map(({ position }) => position),
    );
    if (reply === null) return;
    for (const worker of open) {
      const entries = reply[worker.key];
      if (entries && !worker.hasEnded) worker.accept(entries);
    }
  }
}
