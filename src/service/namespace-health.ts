import { ProtocolError } from '../protocol/index.ts';
import { MetaMismatchError, type RedisConnection } from '../redis/index.ts';
import type { Log } from './log.ts';

/* namespace-health.ts: whether an instance may serve, and whether Redis would do what a request needs.
 *
 * It asks again and again, and not only when the connection comes back. Redis may refuse everything on a connection that
 * stays open (MISCONF, BUSY), and then be well again without any event; and the meta record may go with a FLUSHALL. Each
 * check compares the meta record, sets it where it is gone, and proves that writes are taken. */

const CHECK_INTERVAL_MS = 500;
const RETRY_INTERVAL_MS = 100;
const LOG_INTERVAL_MS = 60_000;
const MAX_REASON_LENGTH = 200;

const AWAY = new ProtocolError('unavailable', 'The service is connecting to Redis.');

/** Checks a namespace for as long as its service runs. */
export class NamespaceHealth {
  readonly #redis: RedisConnection;
  readonly #check: () => Promise<void>;
  readonly #log: Log;
  readonly #onBack: () => void;
  #refusal: ProtocolError | undefined;
  #trouble: string | undefined;
  /** The mismatch that was logged last, and has not ended. */
  #mismatch: string | undefined;
  #isOutage = false;
  #isChecking = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #loggedAt = Number.NEGATIVE_INFINITY;

  /** `check`: compares the meta record, and writes; `onBack`: called when an outage is over. */
  constructor(redis: RedisConnection, check: () => Promise<void>, log: Log, onBack: () => void) {
    this.#redis = redis;
    this.#check = check;
    this.#log = log;
    this.#onBack = onBack;
  }

  /** Why nothing may be served now: the connection is lost, or the namespace is another's. What Redis refuses for a while
   *  is no reason: a request that only reads may still be answered. */
  get refusal(): ProtocolError | undefined {
    return this.#refusal;
  }

  /** Why not every request would be served now, for probes. */
  get trouble(): string | undefined {
    return this.#refusal?.message ?? this.#trouble ?? (this.#redis.isReady ? undefined : AWAY.message);
  }

  start(): void {
    this.#redis.on('lost', this.#onLost);
    this.#redis.on('ready', this.#checkNow);
    this.#schedule(CHECK_INTERVAL_MS);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#redis.off('lost', this.#onLost);
    this.#redis.off('ready', this.#checkNow);
  }

  readonly #onLost = (error: Error): void => {
    this.#warn(error, 'Redis is away; trying again.');
    // Where other masters go on, only what goes to the lost one fails, by itself.
    if (!this.#redis.failsInParts) this.#refusal = AWAY;
  };

  readonly #checkNow = (): void => {
    if (this.#isChecking || this.#stopped) return;
    clearTimeout(this.#timer);
    this.#isChecking = true;
    this.#check().then(
      () => this.#settle(undefined),
      (error: Error) => this.#settle(error),
    );
  };

  #settle(error: Error | undefined): void {
    this.#isChecking = false;
    if (this.#stopped) return;
    if (error === undefined) this.#onWell();
    else if (error instanceof MetaMismatchError) this.#onMismatch(error);
    else if (this.#redis.isReady) {
      // Connected, and refused: it is loading its data, busy, or takes no writes.
      const reason = error.message.slice(0, MAX_REASON_LENGTH);
      this.#trouble = `Redis refuses what the service needs (${reason}).`;
      this.#warn(error, 'Redis refuses what the service needs; trying again.');
    }
    this.#schedule(error === undefined || error instanceof MetaMismatchError ? CHECK_INTERVAL_MS : RETRY_INTERVAL_MS);
  }

  #onWell(): void {
    this.#refusal = undefined;
    this.#trouble = undefined;
    this.#mismatch = undefined;
    if (!this.#isOutage || !this.#redis.isReady) return;
    this.#isOutage = false;
    this.#loggedAt = Number.NEGATIVE_INFINITY;
    this.#log.info({ redis: this.#redis.address }, 'Redis is back.');
    this.#onBack();
  }

  #onMismatch({ code, message }: MetaMismatchError): void {
    this.#refusal = new ProtocolError(code === 'WRONG_KEY' ? 'wrong-key' : 'unavailable', message);
    this.#isOutage = true;
    if (message !== this.#mismatch) this.#log.error({ code }, message);
    this.#mismatch = message;
  }

  #warn({ message }: Error, what: string): void {
    this.#isOutage = true;
    if (performance.now() < this.#loggedAt + LOG_INTERVAL_MS) return;
    this.#loggedAt = performance.now();
    this.#log.warn({ reason: message }, what);
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(this.#checkNow, ms).unref();
  }
}
