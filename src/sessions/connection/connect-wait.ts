import { ConditionVariable, withDeadline } from '../../async/index.ts';
import type { RedisConnection } from '../../redis/index.ts';

/** In a Cluster: how long an operation that had to wait for its master waits for the other masters, in milliseconds; at
 *  most half of what is left of its deadline. */
const OTHERS_MS = 50;

/** Lets operations wait for the connection. Operations issued before the first connect, or while the connection is lost,
 *  wait for it at most one deadline; after that they fail at once until it is back. */
export class ConnectWait {
  readonly #redis: RedisConnection;
  readonly #deadlineMs: number;
  readonly #isDown: (key: string) => boolean;
  readonly #notReady: () => Error;
  readonly #readiness = new ConditionVariable();
  #arrival: Promise<void> = Promise.resolve();
  #arrive: (() => void) | undefined;
  #abandon: ((error: Error) => void) | undefined;
  #closed = false;

  /** `isDown`: whether operations on a key are known to fail; `notReady`: makes the error of an operation that cannot
   *  be sent. */
  constructor(redis: RedisConnection, deadlineMs: number, isDown: (key: string) => boolean, notReady: () => Error) {
    this.#redis = redis;
    this.#deadlineMs = deadlineMs;
    this.#isDown = isDown;
    this.#notReady = notReady;
    redis.on('ready', () => {
      this.#arrive?.();
      this.#arrive = undefined;
    });
    redis.on('lost', () => this.#begin());
    redis.on('reachable', () => this.#readiness.notifyAll());
    this.#begin();
  }

  /** Waits until a command for `key` would be sent.
   *  @throws what `notReady` makes, where that is not expected or did not come in time. */
  async untilReadyFor(key: string): Promise<void> {
    if (this.#redis.isCluster) await this.#untilMasterReadyFor(key);
    else if (!this.#redis.isReady) await (this.#redis.isConnected ? Promise.reject(this.#notReady()) : this.#arrival);
  }

  /** Ends the waits for keys that are down by now. */
  onFailure(): void {
    this.#readiness.notifyAll();
  }

  /** Refuses all that waits. */
  close(): void {
    this.#closed = true;
    this.#abandon?.(this.#notReady());
    this.#readiness.notifyAll();
  }

  // The operation's own deadline ends the wait: its slot is down then, and later operations do not wait for it.
  async #untilMasterReadyFor(key: string): Promise<void> {
    const redis = this.#redis;
    const begun = performance.now();
    await this.#readiness.waitFor(() => redis.isReadyFor(key) || this.#closed || this.#isDown(key));
    if (!redis.isReadyFor(key)) throw this.#notReady();
    // The operation may need other masters too, and all connections of a process are made at about the same time.
    const leftMs = this.#deadlineMs - (performance.now() - begun);
    await this.#readiness.waitFor(() => redis.isReady || this.#closed, Math.min(OTHERS_MS, leftMs / 2));
  }

  // All operations share one wait, which begins when the connection is lost.
  #begin(): void {
    if (this.#arrive) return;
    const arrival = new Promise<void>((resolve, reject) => {
      this.#arrive = resolve;
      this.#abandon = reject;
    });
    const late = (): never => {
      throw this.#notReady();
    };
    this.#arrival = withDeadline(arrival, this.#deadlineMs, late, { keepsAlive: false, readsInputFirst: true });
    this.#arrival.catch(() => undefined);
  }
}
