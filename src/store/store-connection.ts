import { EventEmitter } from 'node:events';
import {
  type Clock,
  type ConnectionOptions,
  type RedisClient,
  RedisClock,
  RedisConnection,
  RedisNotReadyError,
} from '../redis/index.ts';
import { SessionDataError, StoreUnavailableError } from './store-errors.ts';

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
  #isDown = false;
  #overdue = 0;
  readonly #afterwards: ((redis: RedisConnection) => Promise<unknown>)[] = [];
  #closed = false;

  /** Begins to connect and returns.
   *  @throws ConnectionOptionsError for options that cannot be right. */
  constructor(redis: string | ConnectionOptions | RedisClient, deadlineMs: number) {
    super();
    this.deadlineMs = deadlineMs;
    this.redis = new RedisConnection(redis, 'sessionwise-store');
    this.redis.on('ready', () => {
      this.#arrive?.();
      this.#arrive = undefined;
      this.#measure();
      this.#succeeded();
    });
    this.redis.on('lost', (error) => {
      this.#await();
      this.#failed(error);
    });
    this.#await();
    this.redis.open();
    this.#timer = setInterval(() => this.#measure(), CLOCK_INTERVAL_MS).unref();
  }

  /** The time by Redis's clock, as far as it is known here. */
  readonly now: Clock = () => this.#clock.now();

  /** Until when, by Redis's clock, what is sent now may be done: later its caller has given up. 0 where Redis's clock is
   *  not known yet. */
  notAfter(): number {
    return this.#clock.isMeasured ? this.#clock.now() + this.deadlineMs : 0;
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

  /** Does `work` within the deadline.
   *  @throws StoreUnavailableError where it is not done in time or Redis refuses; what `work` throws about the data. */
  run<Result>(work: (redis: RedisConnection) => Promise<Result>): Promise<Result> {
    const { redis } = this;
    // Answers come in the order of the questions: behind one that is overdue nobody else needs to wait.
    if (this.#overdue > 0) return Promise.reject(new StoreUnavailableError(this.#silence()));
    const done = redis.isReady ? work(redis) : this.#whenReady().then(() => work(redis));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const error = new StoreUnavailableError(this.#silence());
        this.#overdue += 1;
        const settled = (): void => {
          this.#overdue -= 1;
        };
        done.then(() => {
          settled();
          this.#succeeded();
        }, settled);
        this.#failed(error);
        reject(error);
      }, this.deadlineMs);
      done.then(
        (result) => {
          clearTimeout(timer);
          this.#succeeded();
          resolve(result);
        },
        (error: unknown) => {
          clearTimeout(timer);
          const told = this.#explain(error);
          if (told instanceof StoreUnavailableError) this.#failed(told);
          reject(told);
        },
      );
    });
  }

  /** Ends the connection; what waits is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
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
      const timer = setTimeout(() => reject(this.#notReady()), this.deadlineMs).unref();
      this.#arrive = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#arrival.catch(() => undefined);
  }

  #measure(): void {
    if (this.redis.isReady) this.#clock.measure(this.redis).catch(() => undefined);
  }

  #silence(): string {
    return `Redis at ${this.redis.address} did not answer within ${this.deadlineMs} ms: the session was neither read nor certainly written. Is Redis running?`;
  }

  #notReady(): Error {
    if (this.#closed) return new StoreUnavailableError('This session store was closed.');
    return new RedisNotReadyError(`Redis at ${this.redis.address} does not answer now.`);
  }

  #explain(error: unknown): Error {
    if (error instanceof RangeError || error instanceof TypeError || isOurs(error)) return error;
    const message = error instanceof Error ? error.message : String(error);
    // The clocks have come apart.
    if (/SESSIONLATE/.test(message)) this.#measure();
    if (/SESSIONDATA/.test(message)) return new SessionDataError(message);
    return new StoreUnavailableError(`Session data cannot be reached: ${message}`, { cause: error });
  }

  #failed(error: Error): void {
    if (this.#isDown || this.#closed) return;
    this.#isDown = true;
    this.emit('down', error);
  }

  #succeeded(): void {
    if (!this.#isDown) return;
    this.#isDown = false;
    this.#doAfterwards();
    this.emit('up');
  }

  #doAfterwards(): void {
    for (const work of this.#afterwards.splice(0)) work(this.redis).catch(() => undefined);
  }
}

function isOurs(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^(SESSION|STORE)_/.test(String(error.code));
}
