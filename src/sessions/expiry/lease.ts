import { type RedisConnection, Script } from '../../redis/index.ts';

/* Input: KEYS lease; ARGV holder, milliseconds. Output: 1 where the lease is the holder's now. */
const takeLease = new Script<0 | 1>(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`);

/* Input: KEYS lease; ARGV holder. */
const releaseLease = new Script<0 | 1>(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

/** Lets one process at a time do a task, until it releases the lease or the lease expires. */
export class Lease {
  readonly #redis: RedisConnection;
  readonly #key: string;
  readonly #holder: string;
  readonly #durationMs: number;

  constructor(redis: RedisConnection, key: string, holder: string, durationMs: number) {
    this.#redis = redis;
    this.#key = key;
    this.#holder = holder;
    this.#durationMs = durationMs;
  }

  /** Takes or renews the lease. Returns whether this process holds it; false where Redis does not answer. True where
   *  Redis is out of memory: tasks under a lease free memory, and doing them twice is harmless. */
  async take(): Promise<boolean> {
    return takeLease.run(this.#redis, [this.#key], [this.#holder, this.#durationMs]).then(
      (taken) => taken === 1,
      (error: Error) => /\bOOM\b/.test(error.message),
    );
  }

  /** Releases the lease if this process holds it. Never throws. */
  async release(): Promise<void> {
    if (!this.#redis.isReady) return;
    await releaseLease.run(this.#redis, [this.#key], [this.#holder]).catch(() => undefined);
  }
}
