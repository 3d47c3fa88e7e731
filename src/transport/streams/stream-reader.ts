import { setTimeout as pause } from 'node:timers/promises';
import { isTransient, type RedisConnection } from '../../redis/index.ts';
import type { RawEntry } from './entry-size.ts';
import { IN_HAND_LIMIT, type PartitionWorker } from './partition-worker.ts';
import { readEntries } from './read-entries.ts';

/* stream-reader.ts: reads the streams of owned partitions over connections that block. Outside a Cluster one connection
 * reads all of them; in a Cluster each partition has its own, because one XREAD reaches one slot.
 *
 * Waiting entries are read by bytes (read-entries.ts). XREAD cannot be bounded by bytes, so it only waits on streams
 * that were read to their end, and returns a few new entries of each. */

// The longest wait of one XREAD. A partition that is added joins after it.
const BLOCK_MS = 25;
// While a partition without room is left out, waits are short: it must be read again soon after it has room.
const SHORT_BLOCK_MS = 5;
const PAUSE_MS = 20;
// A partition gets a turn when a fair batch fits.
const LEAST_ROOM: number = IN_HAND_LIMIT / 4;
// How many entries XREAD brings at the most, and of one stream: a stream that has as many may have more.
const MOST_NEW = 256;
const MOST_NEW_EACH = 8;
// A stream without an entry for so long is idle. Streams that are idle are read each BLOCK_MS, and beside others only
// then: to wait on 64 streams and to answer takes Redis 70 us.
const IDLE_AFTER_MS = 1_000;
// After so long without a read much may have been added.
const LONG_GAP_MS = 50;

/** Reads for workers until each has ended. */
export class StreamReader {
  readonly #redis: RedisConnection;
  readonly #lines = new Set<Line>();
  #stopped = false;

  /** `redis`: the connection whose options its own connections share. */
  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Begins to read for a worker. It ends with the worker. */
  add(worker: PartitionWorker): void {
    if (this.#stopped) return;
    const [shared] = this.#lines;
    if (shared && !this.#redis.oneSlotPerRead) {
      shared.workers.add(worker);
      return;
    }
    const connection = this.#redis.oneSlotPerRead
      ? this.#redis.duplicateFor(worker.key, 'sessionwise-streams')
      : this.#redis.duplicate('sessionwise-streams');
    const line = new Line(connection, new Set([worker]), this.#redis.oneSlotPerRead);
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
  #turns = 0;
  #readAt = 0;
  // When all workers were last read.
  #allAt = Number.NEGATIVE_INFINITY;

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
      const due = this.#due();
      const open = due.filter(({ room, isCautious }) => room >= (isCautious ? 1 : LEAST_ROOM));
      // Partitions that are left out now may fall behind.
      if (open.length < due.length) for (const worker of due) if (!open.includes(worker)) worker.isBehind = true;
      if (open.length === 0 || !this.#connection.isReady) {
        const isFull = this.workers.size > 0 && this.#connection.isReady;
        await pause(isFull ? SHORT_BLOCK_MS : PAUSE_MS);
      } else {
        await this.#readSome(open, open.length < due.length).catch((error: unknown) =>
          isTransient(error) ? pause(PAUSE_MS) : this.#readEach(open),
        );
        this.#readAt = performance.now();
      }
    }
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.destroy();
  }

  /** The workers whose streams are read now: those that are not idle, and all of them now and then. */
  #due(): PartitionWorker[] {
    const now = performance.now();
    const all = [...this.workers];
    const busy = all.filter(({ activeAt, isBehind }) => isBehind || now - activeAt < IDLE_AFTER_MS);
    if (busy.length > 0 && busy.length < all.length && now - this.#allAt < BLOCK_MS) return busy;
    this.#allAt = now;
    return all;
  }

  #readSome(open: readonly PartitionWorker[], isPart: boolean): Promise<void> {
    const isLate = performance.now() - this.#readAt > LONG_GAP_MS;
    if (isLate || open.some(({ isBehind }) => isBehind)) return this.#readWaiting(open);
    const untilAll = Math.ceil(this.#allAt + BLOCK_MS - performance.now());
    return this.#readNew(open, isPart ? SHORT_BLOCK_MS : Math.max(1, untilAll));
  }

  // One stream that cannot be read must not keep the others from being read.
  async #readEach(open: readonly PartitionWorker[]): Promise<void> {
    for (const worker of open) {
      await this.#readWaiting([worker]).catch((error: unknown) => {
        if (!isTransient(error)) worker.fail(error as Error);
      });
    }
    await pause(PAUSE_MS);
  }

  // Another stream comes first each time: a read ends when there is enough.
  async #readWaiting(open: readonly PartitionWorker[]): Promise<void> {
    const first = this.#turns++ % open.length;
    const workers = [...open.slice(first), ...open.slice(0, first)];
    const read = await readEntries(
      this.#connection,
      workers.map(({ key, owner, deadLetters, token, position, room, roomForBytes }) => ({
        ...{ key, owner, deadLetters, token },
        position,
        mostEntries: room,
        mostBytes: roomForBytes,
      })),
    );
    for (const [i, { hasMore, entries }] of read.entries()) {
      workers[i]!.isBehind = hasMore;
      if (!workers[i]!.hasEnded) workers[i]!.accept(entries);
    }
  }

  async #readNew(open: readonly PartitionWorker[], blockMs: number): Promise<void> {
    const few = Math.min(MOST_NEW_EACH, Math.floor(MOST_NEW / open.length));
    const reply = await this.#connection.command<Record<string, RawEntry[]> | null>(
      'XREAD',
      'COUNT',
      String(open.some(({ isCautious }) => isCautious) ? 1 : few),
      'BLOCK',
      String(blockMs),
      'STREAMS',
      ...open.map(({ key }) => key),
      ...open.map(({ position }) => position),
    );
    if (reply === null) return;
    for (const worker of open) {
      const entries = reply[worker.key];
      if (!entries || worker.hasEnded) continue;
      worker.isBehind = worker.isCautious || entries.length >= few;
      worker.accept(entries);
    }
  }
}
