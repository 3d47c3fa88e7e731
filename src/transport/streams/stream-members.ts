import { isSession } from '../../protocol/index.ts';
import type { Keys, RedisConnection } from '../../redis/index.ts';

/* stream-members.ts: which instances work off streams.
 *
 * Heartbeats say it, and whoever may PUBLISH can forge them: partitions would be handed to instances that nobody is. So a
 * heartbeat counts only where its instance also holds a key, which takes the right to write. */

/** How long an instance's key is kept without renewal, in milliseconds. Silence is noticed earlier, by its heartbeats:
 *  the key only has to outlast a Redis that stalls. */
const MEMBER_TTL_MS = 10_000;
// Of so many heartbeats the keys are looked up.
const MOST_CANDIDATES = 256;

/** The instances that share the partitions out, this one included. */
export class StreamMembers {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #self: string;
  readonly #heard: () => readonly string[];
  #confirmed = new Set<string>();

  /** `heard`: ids of the other instances whose heartbeats say that they work off streams. */
  constructor(redis: RedisConnection, keys: Keys, self: string, heard: () => readonly string[]) {
    this.#redis = redis;
    this.#keys = keys;
    this.#self = self;
    this.#heard = heard;
  }

  /** All that are there, as of the last `refresh`. */
  all(): string[] {
    return [this.#self, ...this.#heard().filter((instance) => this.#confirmed.has(instance))];
  }

  /** Whether another instance is there. */
  has(instance: string): boolean {
    return this.#confirmed.has(instance) && this.#heard().includes(instance);
  }

  /** Says that this one is there, and looks which others are. What Redis does not answer stays as it was. */
  async refresh(): Promise<void> {
    const candidates = this.#heard().filter(isSession).slice(0, MOST_CANDIDATES);
    const [, ...found] = await Promise.all([
      this.#redis
        .command('SET', this.#keys.streamMember(this.#self), '1', 'PX', String(MEMBER_TTL_MS))
        .catch(() => undefined),
      ...candidates.map((instance) =>
        this.#redis
          .command<number>('EXISTS', this.#keys.streamMember(instance))
          .then(Boolean, () => this.#confirmed.has(instance)),
      ),
    ]);
    this.#confirmed = new Set(candidates.filter((_, i) => found[i]));
  }

  /** Says that this one is there no more. */
  async leave(): Promise<void> {
    await this.#redis.command('DEL', this.#keys.streamMember(this.#self)).catch(() => undefined);
  }
}
