import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from '../../async/index.ts';
import {
  type ConnectionOptions,
  createConnection,
  type Keys,
  type RedisClient,
  type RedisConnection,
  RedisNotReadyError,
} from '../../redis/index.ts';
import { slotOfKey } from '../../redis/key-slot.ts';
import {
  isOtherFormat,
  isOurs,
  isRefusedWrite,
  isWrongType,
  SessionDataError,
  StoreUnavailableError,
} from '../errors.ts';
import { BoundedOperation } from './bounded-operation.ts';
import { PartitionClocks, serverTime } from './partition-clocks.ts';
import { SlotHealth } from './slot-health.ts';

const CLOCK_INTERVAL_MS = 30_000;
const MAX_AFTERWARDS = 1_000;
/** In a Cluster: how often masters are asked again whose sessions cannot be reached, in milliseconds. */
const PROBE_INTERVAL_MS = 1_000;
/** In a Cluster: how long after the last write that was refused a slot counts as well again, in milliseconds. */
const REFUSAL_MEMORY_MS = 30_000;
const READY_POLL_MS = 20;
const LAST_WORK_MS = 1_000;
/** What stands for all slots: outside a Cluster, and of a Cluster as such. */
const WHOLE = -1;

interface StoreConnectionEvents {
  /** Operations fail for the first time since they last succeeded; in a Cluster: some do. */
  down: [Error];
  /** They succeed again; in a Cluster: all do. */
  up: [];
}

/** What an operation is about. */
interface OperationOptions {
  /** The key that it begins with: in a Cluster the master of it must be there, and the others need not. */
  readonly key: string;
  /** It writes nothing, so its success says nothing of writes that Redis refuses (its memory is full, it is a
   *  replica). Default false. */
  readonly reads?: boolean;
}

/** The connection under a store: usable at once, bounded always. What is asked while it is not connected waits for it
 *  within its own deadline; where it has been away for longer than a deadline, nothing waits any more. In a Cluster that
 *  holds for each slot by itself: a master that is away or stands still fails the operations on its own sessions. */
export class StoreConnection extends EventEmitter<StoreConnectionEvents> {
  readonly redis: RedisConnection;
  readonly deadlineMs: number;
  readonly clocks: PartitionClocks;
  readonly #health = new SlotHealth();
  readonly #timers: readonly NodeJS.Timeout[];
  #arrival: Promise<void> = Promise.resolve();
  #arrive: (() => void) | undefined;
  #abandon: (() => void) | undefined;
  #overdue = 0;
  readonly #afterwards: { readonly slot: number; readonly work: (redis: RedisConnection) => Promise<unknown> }[] = [];
  #closed = false;

  /** Begins to connect and returns.
   *  @throws ConnectionOptionsError for options that cannot be right. */
  constructor(redis: string | ConnectionOptions | RedisClient, keys: Keys, deadlineMs: number) {
    super();
    this.deadlineMs = deadlineMs;
    this.redis = createConnection(redis, 'sessionwise-store');
    this.clocks = new PartitionClocks(this.redis, keys);
    this.redis.on('ready', () => {
      this.#arrive?.();
      this.#arrive = undefined;
      // A server that is loading its data tells the time, and refuses the other. In a Cluster each says whether it does.
      const isLoaded = this.redis.isCluster ? undefined : this.redis.command('DBSIZE');
      Promise.all([this.clocks.measure(), isLoaded]).then(
        () => this.#succeeded(WHOLE, true),
        () => undefined,
      );
    });
    this.redis.on('lost', (error) => {
      this.#await();
      this.#failed(WHOLE, undefined, error);
    });
    this.#await();
    this.redis.open();
    const measuring = setInterval(() => {
      this.clocks.measure().catch(() => undefined);
    }, CLOCK_INTERVAL_MS);
    const probing = this.redis.isCluster ? [setInterval(() => this.#probe(), PROBE_INTERVAL_MS)] : [];
    this.#timers = [measuring, ...probing].map((timer) => timer.unref());
  }

  /** The time by Redis's clock, as far as it is known here; in a Cluster by the one that holds a session, or any. */
  now(session?: string): number {
    return this.clocks.of(session).now();
  }

  /** Does `work` when operations on `key` succeed (again), as a part of no operation. */
  runWhenUp(key: string, work: (redis: RedisConnection) => Promise<unknown>): void {
    const slot = this.#slotOf(key);
    if (this.#afterwards.length < MAX_AFTERWARDS) this.#afterwards.push({ slot, work });
    if (!this.#health.isDown(slot)) this.#doAfterwards(slot);
  }

  /** Whether operations are expected to succeed; in a Cluster: all of them. */
  get isUp(): boolean {
    return this.redis.isReady && this.#health.isUp;
  }

  /** Does `work` within the deadline.
   *  @throws StoreUnavailableError where it is not done in time or Redis refuses; what `work` throws about the data. */
  run<Result>(
    work: (redis: BoundedOperation) => Promise<Result>,
    { key, reads = false }: OperationOptions,
  ): Promise<Result> {
    const { redis } = this;
    if (this.#closed) return Promise.reject(closed());
    // Answers come in the order of the questions: behind one that is overdue nobody else needs to wait.
    if (this.#overdue > 0) return Promise.reject(new StoreUnavailableError(this.#silence()));
    const operation = new BoundedOperation(redis, this.#notAfter(performance.now()));
    const done = redis.isReadyFor(key) ? work(operation) : this.#whenReady(key).then(() => work(operation));
    let isLate = false;
    return new Promise((resolve, reject) => {
      const late = (): void => {
        isLate = true;
        const error = new StoreUnavailableError(this.#silence());
        operation.expire(error);
        this.#noteOverdue(operation, key, done, error);
        done.then(
          () => this.#allSucceeded(operation, reads),
          () => undefined,
        );
        reject(error);
      };
      // Node looks at its timers before it reads what has come in meanwhile: where it is this process that stood still,
      // the answer may lie there.
      let turn: NodeJS.Immediate | undefined;
      const timer = setTimeout(() => {
        turn = setImmediate(late);
      }, this.deadlineMs);
      const settle = (): void => {
        clearTimeout(timer);
        clearImmediate(turn);
      };
      done.then(
        (result) => {
          settle();
          this.#allSucceeded(operation, reads);
          resolve(result);
        },
        (error: unknown) => {
          settle();
          const told = this.#explain(error);
          if (told instanceof StoreUnavailableError && !isLate) {
            const failed = operation.failedKey ?? key;
            this.#failed(this.#slotOf(failed), failed, told, isRefusedWrite(told));
          }
          reject(told);
        },
      );
    });
  }

  /** Ends the connection, when `last` is done, or after a second; what waits is refused at once. */
  async close(last?: Promise<void>): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#abandon?.();
    if (last) await withDeadline(last, LAST_WORK_MS, () => undefined);
    await this.redis.close();
    this.removeAllListeners();
  }

  #slotOf(key: string): number {
    return this.redis.isCluster ? slotOfKey(key) : WHOLE;
  }

  #notAfter(begunAt: number): (session: string) => number {
    return (session) => {
      const clock = this.clocks.of(session);
      if (!clock.isMeasured) return 0;
      // Rather too early than after the caller was told: that is why the clock's error is taken off, within reason.
      const leftMs = this.deadlineMs - (performance.now() - begunAt) - Math.min(clock.errorMs, this.deadlineMs / 2);
      return Math.floor(clock.now() + leftMs);
    };
  }

  // What was sent before the connection stood would be refused; a page that comes with the process's first breath waits.
  async #whenReady(key: string): Promise<void> {
    const { redis } = this;
    if (!redis.isCluster) {
      if (!redis.isReady) await (redis.isConnected ? Promise.reject(this.#notReady()) : this.#arrival);
      return;
    }
    // Until the operation's own deadline; whoever comes when that has passed for one does not wait.
    while (!redis.isReadyFor(key)) {
      if (this.#closed || this.#health.isDown(this.#slotOf(key))) throw this.#notReady();
      await sleep(READY_POLL_MS, undefined, { ref: false });
    }
  }

  // One wait for all: as long as a deadline from when the connection was lost.
  #await(): void {
    if (this.#arrive) return;
    this.#arrival = new Promise((resolve, reject) => {
      this.#abandon = () => reject(this.#notReady());
      // As in `run`: one turn for what has come in meanwhile.
      const timer = setTimeout(() => setImmediate(() => this.#abandon?.()), this.deadlineMs).unref();
      this.#arrive = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#arrival.catch(() => undefined);
  }

  #noteOverdue(operation: BoundedOperation, key: string, done: Promise<unknown>, error: Error): void {
    if (!this.redis.isCluster) {
      this.#overdue += 1;
      const settled = (): void => {
        this.#overdue -= 1;
      };
      done.then(settled, settled);
      this.#failed(WHOLE, undefined, error);
      return;
    }
    // It may be a command that is tried again because its slot moves, and then others get their answers. A master that
    // stands still the connection finds by itself, and it is not ready then.
    const late = operation.pendingKeys();
    for (const lateKey of late.length > 0 ? late : [key]) this.#failed(this.#slotOf(lateKey), lateKey, error);
  }

  // In a Cluster nothing else would find out that sessions can be reached again which nobody asks for.
  #probe(): void {
    for (const [slot, { key, refusesWrites, since }] of this.#health.failures) {
      if (key === undefined) {
        if (this.redis.isReady) this.#succeeded(slot, true);
        continue;
      }
      if (!this.redis.isReadyFor(key)) continue;
      const isForgiven = refusesWrites && performance.now() - since > REFUSAL_MEMORY_MS;
      serverTime(this.redis, key).then(
        () => this.#succeeded(slot, !isForgiven),
        () => undefined,
      );
    }
  }

  #silence(): string {
    return `Redis at ${this.redis.address} did not answer within ${this.deadlineMs} ms: the session was neither read nor certainly written. Is Redis running?`;
  }

  #notReady(): Error {
    if (this.#closed) return closed();
    return new RedisNotReadyError(`Redis at ${this.redis.address} does not answer now.`);
  }

  #explain(error: unknown): Error {
    if (error instanceof RangeError || error instanceof TypeError || isOurs(error)) return error;
    const message = error instanceof Error ? error.message : String(error);
    // The clocks have come apart.
    if (/SESSIONLATE/.test(message)) this.clocks.measure().catch(() => undefined);
    if (isOtherFormat(error)) return new SessionDataError(message);
    if (isWrongType(error)) return new SessionDataError(`Something else lies where session data should: ${message}`);
    return new StoreUnavailableError(`Session data cannot be reached: ${message}`, { cause: error });
  }

  #failed(slot: number, key: string | undefined, error: Error, refusesWrites = false): void {
    if (!this.#closed && this.#health.failed(slot, key, refusesWrites)) this.emit('down', error);
  }

  #allSucceeded({ keys }: BoundedOperation, reads: boolean): void {
    if (this.#health.isUp) return;
    if (!this.redis.isCluster) this.#succeeded(WHOLE, reads);
    for (const slot of new Set([...keys].map(slotOfKey))) this.#succeeded(slot, reads);
  }

  #succeeded(slot: number, reads: boolean): void {
    if (!this.#health.succeeded(slot, reads)) return;
    this.#doAfterwards(slot);
    if (this.#health.isUp) this.emit('up');
  }

  #doAfterwards(slot: number): void {
    const waiting = this.#afterwards.splice(0);
    for (const entry of waiting) {
      if (entry.slot === slot) entry.work(this.redis).catch(() => undefined);
      else this.#afterwards.push(entry);
    }
  }
}

function closed(): StoreUnavailableError {
  return new StoreUnavailableError('This session store was closed.');
}
