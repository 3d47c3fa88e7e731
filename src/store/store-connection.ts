import { EventEmitter } from 'node:events';
import {
  type Clock,
  type ConnectionOptions,
  createConnection,
  type RedisClient,
  RedisClock,
  type RedisConnection,
  RedisNotReadyError,
} from '../redis/index.ts';
import { isOtherFormat, isWrongType, SessionDataError, StoreUnavailableError } from './store-errors.ts';
import { StoreOperation } from './store-operation.ts';

const CLOCK_INTERVAL_MS = 30_000;
const MAX_AFTERWARDS = 1_000;

interface StoreConnectionEvents {
  /** Operations fail for the first time since they last succeeded. */
  down: [Error];
  /** They succeed again. */
  up: [];
}

/** The connection under a store: usable at once, bounded always. What is asked while it is not connected waits for it
 *  within its own deadline; where it has been away for longer than a deadline, nothing waits any more. */
export class StoreConnection extends EventEmitter<StoreConnectionEvents> {
  readonly redis: RedisConnection;
  readonly deadlineMs: number;
  readonly #clock = new RedisClock();
  readonly #timer: NodeJS.Timeout;
  #arrival: Promise<void> = Promise.resolve();
  #arrive: (() => void) | undefined;
  #abandon: (() => void) | undefined;
  #isDown = false;
  #refusesWrites = false;
  #overdue = 0;
  readonly #afterwards: ((redis: RedisConnection) => Promise<unknown>)[] = [];
  #closed = false;

  /** Begins to connect and returns.
   *  @throws ConnectionOptionsError for options that cannot be right. */
  constructor(redis: string | ConnectionOptions | RedisClient, deadlineMs: number) {
    super();
    this.deadlineMs = deadlineMs;
    this.redis = createConnection(redis, 'sessionwise-store');
    this.redis.on('ready', () => {
      this.#arrive?.();
      this.#arrive = undefined;
      // A server that is loading its data tells the time, and refuses the other.
      Promise.all([this.#measure(), this.redis.command('DBSIZE')]).then(
        () => this.#succeeded(true),
        () => undefined,
      );
    });
    this.redis.on('lost', (error) => {
      this.#await();
      this.#failed(error);
    });
    this.#await();
    this.redis.open();
    this.#timer = setInterval(() => {
      this.#measure().catch(() => undefined);
    }, CLOCK_INTERVAL_MS).unref();
  }

  /** The time by Redis's clock, as far as it is known here. */
  readonly now: Clock = () => this.#clock.now();

  /** How far `now` may be off, in milliseconds. */
  get clockErrorMs(): number {
    return this.#clock.errorMs;
  }

  /** Does `work` when operations succeed (again), as a part of no operation. */
  afterwards(work: (redis: RedisConnection) => Promise<unknown>): void {
    if (this.#afterwards.length < MAX_AFTERWARDS) this.#afterwards.push(work);
    if (!this.#isDown) this.#doAfterwards();
  }

  /** Whether operations are expected to succeed. */
  get isUp(): boolean {
    return this.redis.isReady && !this.#isDown;
  }

  /** Does `work` within the deadline. `reads`: it writes nothing, so its success says nothing of writes that Redis refuses
   *  (its memory is full, it is a replica).
   *  @throws StoreUnavailableError where it is not done in time or Redis refuses; what `work` throws about the data. */
  run<Result>(work: (redis: StoreOperation) => Promise<Result>, reads = false): Promise<Result> {
    const { redis } = this;
    if (this.#closed) return Promise.reject(closed());
    // Answers come in the order of the questions: behind one that is overdue nobody else needs to wait.
    if (this.#overdue > 0) return Promise.reject(new StoreUnavailableError(this.#silence()));
    const notAfter = this.#clock.isMeasured ? this.#clock.now() + this.deadlineMs : 0;
    const operation = new StoreOperation(redis, notAfter);
    const done = redis.isReady ? work(operation) : this.#whenReady().then(() => work(operation));
    let isLate = false;
    return new Promise((resolve, reject) => {
      const late = (): void => {
        isLate = true;
        const error = new StoreUnavailableError(this.#silence());
        operation.giveUp(error);
        this.#overdue += 1;
        const settled = (): void => {
          this.#overdue -= 1;
        };
        done.then(() => {
          settled();
          this.#succeeded(reads);
        }, settled);
        this.#failed(error);
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
          this.#succeeded(reads);
          resolve(result);
        },
        (error: unknown) => {
          settle();
          const told = this.#explain(error);
          if (told instanceof StoreUnavailableError && !isLate) this.#failed(told, isRefusedWrite(told));
          reject(told);
        },
      );
    });
  }

  /** Ends the connection; what waits is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#abandon?.();
    await this.redis.close();
    this.removeAllListeners();
  }

  // What was sent before the connection stood would be refused; a page that comes with the process's first breath waits.
  #whenReady(): Promise<void> {
    const { redis } = this;
    if (redis.isReady) return Promise.resolve();
    return redis.isConnected ? Promise.reject(this.#notReady()) : this.#arrival;
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

  #measure(): Promise<void> {
    return this.#clock.measure(this.redis);
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
    if (/SESSIONLATE/.test(message)) this.#measure().catch(() => undefined);
    if (isOtherFormat(error)) return new SessionDataError(message);
    if (isWrongType(error)) return new SessionDataError(`Something else lies where session data should: ${message}`);
    return new StoreUnavailableError(`Session data cannot be reached: ${message}`, { cause: error });
  }

  #failed(error: Error, refusesWrites = false): void {
    this.#refusesWrites ||= refusesWrites;
    if (this.#isDown || this.#closed) return;
    this.#isDown = true;
    this.emit('down', error);
  }

  #succeeded(reads: boolean): void {
    if (!this.#isDown || (reads && this.#refusesWrites)) return;
    this.#isDown = false;
    this.#refusesWrites = false;
    this.#doAfterwards();
    this.emit('up');
  }

  #doAfterwards(): void {
    for (const work of this.#afterwards.splice(0)) work(this.redis).catch(() => undefined);
  }
}

function closed(): StoreUnavailableError {
  return new StoreUnavailableError('This session store was closed.');
}

// Redis is there, and reads go on.
function isRefusedWrite({ message }: Error): boolean {
  return /\b(OOM|READONLY|MISCONF|NOPERM|NOREPLICAS)\b/.test(message);
}

function isOurs(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^(SESSION|STORE)_/.test(String(error.code));
}
