import { HEARTBEAT_TTL_MS } from '../protocol/index.ts';
import type { Keys, RedisConnection } from '../redis/index.ts';
import { enterInstance } from './enter-instance-script.ts';

/* stream-instances.ts: which instances share the partitions.
 *
 * Any client may publish heartbeats, and an instance that is not there must not be given partitions: they would stay
 * free until another instance takes them, again and again. So instances enter themselves in a key, which only a service
 * may write; a heartbeat only says when to look again. */

/** One instance among those that work off streams. */
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

  /** Enters this instance and reads the others. While Redis is away the last list holds: no partition can be owned
   *  then. */
  async enter(): Promise<void> {
    if (this.#hasLeft) return;
    const instances = await enterInstance
      .run(this.#redis, { instances: this.#key }, { instance: this.#id, ttlMs: HEARTBEAT_TTL_MS })
      .catch(() => undefined);
    if (instances) this.#others = instances.filter((id) => id !== this.#id);
  }

  /** Removes this instance. */
  async leave(): Promise<void> {
    this.#hasLeft = true;
    await this.#redis.command('ZREM', this.#key, this.#id).catch(() => undefined);
  }
}
