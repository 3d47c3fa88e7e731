import { EventEmitter } from 'node:events';
import { CallbackDeadline, type Deadline, DeadlineQueue, withDeadline } from '../../async/index.ts';
import {
  type ConnectionOptions,
  createConnection,
  type Keys,
  type RedisClient,
  type RedisConnection,
  RedisNotReadyError,
  shareConnection,
  slotOfKey,
} from '../../redis/index.ts';
import { isRefusedWrite } from '../errors/redis-errors.ts';
import { StoreUnavailableError } from '../errors/store-unavailable-error.ts';
import { BoundedOperation } from './bounded-operation.ts';
import { ConnectWait } from './connect-wait.ts';
import { type DeferredStep, DeferredWork } from './deferred-work.ts';
import { explainError } from './explain-error.ts';
import { PartitionClocks, serverTime } from './partition-clocks.ts';
import { SlotHealth, WHOLE } from './slot-health.ts';

const CLOCK_INTERVAL_MS = 30_000;
/** In a Cluster: how often a master is asked again whose sessions could not be reached, in milliseconds. */
const PROBE_INTERVAL_MS = 1_000;
/** In a Cluster: how long after its last refused write a slot counts as up again, in milliseconds. */
const REFUSAL_MEMORY_MS = 30_000;
const LAST_WORK_MS = 1_000;

interface StoreConnectionEvents {
  /** Operations fail, for the first time since the last success; in a Cluster: those on some slots. */
  down: [Error];
  /** Operations succeed again; in a Cluster: those on all slots. */
  up: [];
}

/** Is told how an operation ended: its error, or else its result. */
export type Settle<Result> = (error: Error | undefined, result?: Result) => void;

/** Where a store's connection goes, and whether it may be another part's too. */
interface ConnectionChoice {
  readonly redis: string | ConnectionOptions | RedisClient;
  readonly ownConnection?: boolean;
}

interface OperationOptions {
  /** The key of the first command. In a Cluster the master of this key must be there, other masters need not. */
  readonly key: string;
  /** Whether the operation writes nothing: then its success does not prove that Redis takes writes. Default false. */
  readonly reads?: boolean;
}

/** The connection under a store. It can be used at once, and every operation ends within the deadline: operations wait for
 *  a connection that is not there yet, and fail at once where it has been away for longer than one deadline. In a Cluster
 *  this holds for each slot by itself: a master that is away or frozen fails the operations on its own sessions only. */
export class StoreConnection extends EventEmitter<StoreConnectionEvents> {
  readonly redis: RedisConnection;
  readonly deadlineMs: number;
  readonly clocks: PartitionClocks;
  readonly #health = new SlotHealth();
  readonly #wait: ConnectWait;
  readonly #deferred: DeferredWork;
  readonly #deadlines = new DeadlineQueue();
  readonly #timers: readonly NodeJS.Timeout[];
  #overdue = 0;
  #closed = false;

  /** Begins to connect and returns.
   *  @throws ConnectionOptionsError for options that cannot be right. */
  constructor({ redis, ownConnection = false }: ConnectionChoice, keys: Keys, deadlineMs: number) {
    super();
    this.deadlineMs = deadlineMs;
    this.redis = (ownConnection ? createConnection : shareConnection)(redis, 'sessionwise-store');
    this.clocks = new PartitionClocks(this.redis, keys);
    this.#deferred = new DeferredWork(this.redis);
    const isDown = (key: string): boolean => this.#health.isDown(this.#slotOf(key));
    this.#wait = new ConnectWait(this.redis, deadlineMs, isDown, () => this.#notReady());
    this.redis.on('ready', () => this.#onReady());
    this.redis.on('lost', (error) => this.#failed(WHOLE, undefined, error));
    this.redis.open();
    const measuring = setInterval(() => this.#measureClocks(), CLOCK_INTERVAL_MS);
    const probing = this.redis.isCluster ? [setInterval(() => this.#probe(), PROBE_INTERVAL_MS)] : [];
    this.#timers = [measuring, ...probing].map((timer) => timer.unref());
  }

  /** The time by Redis's clock, as measured by this process; in a Cluster by the clock of the master that holds the
   *  session. */
  now(session?: string): number {
    return this.clocks.of(session).now();
  }

  /** Runs `step` when operations on `key` succeed, at once where they do. It belongs to no operation, has no deadline, and
   *  its failure is ignored. */
  runWhenUp(key: string, step: DeferredStep): void {
    const slot = this.#slotOf(key);
    this.#deferred.add(slot, step);
    if (!this.#health.isDown(slot)) this.#deferred.run(slot);
  }

  /** Whether operations are expected to succeed; in a Cluster: those on all slots. */
  get isUp(): boolean {
    return this.redis.isReady && this.#health.isUp;
  }

  /** Runs `work` within the deadline.
   *  @throws StoreUnavailableError where it is not done in time or Redis refuses; the errors of `work` about the data. */
  run<Result>(work: (redis: BoundedOperation) => Promise<Result>, options: OperationOptions): Promise<Result> {
    return new Promise((resolve, reject) => {
      const settle: Settle<Result> = (error, result) => (error ? reject(error) : resolve(result!));
      this.ask(work, (result) => result, options, settle);
    });
  }

  /** As `run`, for an operation that is mostly one command: `send` sends it, and `read` makes the result of the reply.
   *  Where `read` needs nothing more, `settle` is called in the turn in which the reply came: a page waits for one
   *  asynchronous frame and not for a chain of them. Never throws; an error is told later, in the caller's asynchronous
   *  context, and what `settle` throws is an unhandled rejection. */
  ask<Reply, Result>(
    send: (redis: BoundedOperation) => Promise<Reply>,
    read: (reply: Reply, redis: BoundedOperation) => Result | Promise<Result>,
    { key, reads = false }: OperationOptions,
    settle: Settle<Result>,
  ): void {
    // Redis answers in order: behind an overdue command no other command is answered in time.
    if (this.#closed || this.#overdue > 0) {
      tell(settle, this.#closed ? closed() : new StoreUnavailableError(this.#silence()));
      return;
    }
    const deadline = new CallbackDeadline(() => {
      const error = this.#closed ? closed() : this.#expire(operation, key);
      operation.expire(error);
      operation.runInAsyncScope(tell, undefined, settle, error);
    });
    this.#deadlines.add(deadline, this.deadlineMs);
    const operation = new BoundedOperation(this.redis, deadline.dueAt, this.#notAfter);
    const onResult = (result: Result): void => {
      this.#allSucceeded(operation, reads);
      if (this.#ends(operation, deadline)) settle(undefined, result);
    };
    const onFailure = (reason: unknown): void => {
      const error = this.#judge(operation, key, reason);
      if (this.#ends(operation, deadline)) tell(settle, error);
    };
    const onReply = (reply: Reply): void => {
      let result: Result | Promise<Result>;
      try {
        result = read(reply, operation);
      } catch (error) {
        onFailure(error);
        return;
      }
      if (result instanceof Promise) result.then(onResult, onFailure);
      else onResult(result);
    };
    try {
      const isReady = this.redis.isReadyFor(key);
      const sent = isReady ? send(operation) : this.#wait.untilReadyFor(key).then(() => send(operation));
      sent.then(onReply, onFailure);
    } catch (error) {
      onFailure(error);
    }
  }

  /** Ends the connection when `last` is done, at most a second later. Operations that wait are refused at once. */
  async close(last?: Promise<void>): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#wait.close();
    if (last) await withDeadline(last, LAST_WORK_MS, () => undefined);
    await this.redis.close();
    // A connection that others share goes on, and with it the commands that Redis has not answered.
    this.#deadlines.expireAll();
    this.removeAllListeners();
  }

  #slotOf(key: string): number {
    return this.redis.isCluster ? slotOfKey(key) : WHOLE;
  }

  #onReady(): void {
    // A server that is loading its data answers TIME but refuses DBSIZE. In a Cluster each master shows it by itself.
    const isLoaded = this.redis.isCluster ? undefined : this.redis.command('DBSIZE');
    Promise.all([this.clocks.measure(), isLoaded]).then(
      () => this.#succeeded(WHOLE, true),
      () => undefined,
    );
  }

  #measureClocks(): void {
    this.clocks.measure().catch(() => undefined);
  }

  readonly #notAfter = (session: string, deadlineAt: number): number => {
    const clock = this.clocks.of(session);
    if (!clock.isMeasured) return 0;
    // The clock's error is subtracted: Redis must refuse a write rather than execute it after the caller was told that
    // it failed.
    const leftMs = deadlineAt - performance.now() - Math.min(clock.errorMs, this.deadlineMs / 2);
    return Math.floor(clock.now() + leftMs);
  };

  /** Notes that an operation has ended. Returns whether its caller still waits. */
  #ends(operation: BoundedOperation, deadline: Deadline): boolean {
    this.#deadlines.remove(deadline);
    if (!operation.isExpired) return true;
    if (!this.redis.isCluster) this.#overdue -= 1;
    return false;
  }

  /** Ends an operation at its deadline. Returns the error for its caller. */
  #expire(operation: BoundedOperation, key: string): Error {
    const error = new StoreUnavailableError(this.#silence());
    if (this.redis.isCluster) {
      // The command may be one that is tried again because its slot moves, while others are answered. A frozen master is
      // noticed by its connection, which is not ready then.
      const late = operation.pendingKeys();
      for (const lateKey of late.length > 0 ? late : [key]) this.#failed(this.#slotOf(lateKey), lateKey, error);
      return error;
    }
    this.#overdue += 1;
    this.#failed(WHOLE, undefined, error);
    return error;
  }

  /** Judges the failure of an operation. Returns the error for its caller. */
  #judge(operation: BoundedOperation, key: string, reason: unknown): Error {
    const error = explainError(reason);
    // A write was refused as late: the clocks have come apart.
    if (/SESSIONLATE/.test(error.message)) this.#measureClocks();
    if (error instanceof StoreUnavailableError && !operation.isExpired) {
      const failed = operation.failedKey ?? key;
      this.#failed(this.#slotOf(failed), failed, error, isRefusedWrite(error));
    }
    return error;
  }

  // In a Cluster: finds out that sessions can be reached again, where no operation asks for them.
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

  #failed(slot: number, key: string | undefined, error: Error, refusesWrites = false): void {
    if (this.#closed) return;
    const wasUp = this.#health.failed(slot, key, refusesWrites);
    this.#wait.onFailure();
    if (wasUp) this.emit('down', error);
  }

  #allSucceeded({ keys }: BoundedOperation, reads: boolean): void {
    if (this.#health.isUp) return;
    if (!this.redis.isCluster) this.#succeeded(WHOLE, reads);
    for (const slot of new Set([...keys].map(slotOfKey))) this.#succeeded(slot, reads);
  }

  #succeeded(slot: number, reads: boolean): void {
    if (!this.#health.succeeded(slot, reads)) return;
    this.#deferred.run(slot);
    if (this.#health.isUp) this.emit('up');
  }
}

function tell<Result>(settle: Settle<Result>, error: Error): void {
  void Promise.reject(error).catch(settle);
}

function closed(): StoreUnavailableError {
  return new StoreUnavailableError('This session store was closed.');
}
