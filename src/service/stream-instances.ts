import { HEARTBEAT_TTL_MS } from '../protocol/index.ts';
import { type Keys, type RedisConnection, Script } from '../redis/index.ts';

/* stream-instances.ts: which instances share the partitions.
 *
 * Anybody may publish heartbeats, and an instance that is not there must not be given partitions: they would be nobody's
 * until somebody else takes them, again and again. So instances enter themselves in a key, which only a service may
 * write; heartbeats say no more than when to look again. */

/* Enters an instance and forgets those that are silent.
 * Input: KEYS instances; ARGV instance, after how many milliseconds of silence one is gone. Output: the instances.
 * It removes first: a step that has begun to write goes on where Redis is full. What is far ahead of Redis's clock was
 * entered before that was set back. */
const enterInstance = new Script<string[]>(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', now - ARGV[2]))
redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('%d', now + ARGV[2]), '+inf')
redis.call('ZADD', KEYS[1], string.format('%d', now), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)`);

/** One instance's place among those that work off streams. */
export class StreamInstances {
  readonly #redis: RedisConnection;
  readonly #key: string;
  readonly #id: string;
  #others: readonly string[] = [];
  #hasLeft = false;

  constructor(redis: RedisConnection, keys: Keys, id: string) {
    this.#redis = redis;
    this.#key = keys.streamInstances();
    this.#id = id;
  }

  /** The others, as of the last `enter`. */
  get others(): readonly string[] {
    return this.#others;
  }

  /** Says that it is there, and reads who else is. While Redis is away what was read before holds: nothing can be owned
   *  then. */
  async enter(): Promise<void> {
    if (this.#hasLeft) return;
    const instances = await enterInstance
      .run(this.#redis, [this.#key], [this.#id, HEARTBEAT_TTL_MS])
      .catch(() => undefined);
    if (instances) this.#others = instances.filter((id) => id !== this.#id);
  }

  /** Takes itself out. */
  async leave(): Promise<void> {
    this.#hasLeft = true;
    await this.#redis.command('ZREM', this.#key, this.#id).catch(() => undefined);
  }
}
