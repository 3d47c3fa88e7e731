import { REPLY_TTL_MS } from '../../protocol/index.ts';
import type { RedisConnection } from '../../redis/index.ts';

// After every caller with a usual deadline has gone, and well before the lists expire: a look that a busy process
// takes too late finds nothing to count.
const LOOK_AFTER_MS: number = REPLY_TTL_MS / 2;
const COUNTED_AT_ONCE = 1_000;

/** Sends replies to callers that wait with BLPOP, and counts those that no caller claimed. */
export class ReplyLists {
  readonly #redis: RedisConnection;
  readonly #onUnclaimed: (count: number) => void;
  readonly #sent: { key: string; at: number }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(redis: RedisConnection, onUnclaimed: (count: number) => void) {
    this.#redis = redis;
    this.#onUnclaimed = onUnclaimed;
  }

  /** Pushes a reply; the list expires with REPLY_TTL_MS in the same atomic step, so no key is left behind. */
  async push(key: string, json: string): Promise<void> {
    await this.#redis.transaction([
      ['LPUSH', key, json],
      ['PEXPIRE', key, String(REPLY_TTL_MS)],
    ]);
    this.#sent.push({ key, at: performance.now() });
    this.#timer ??= setTimeout(() => void this.#look(), LOOK_AFTER_MS).unref();
  }

  /** Stops looking. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const due = performance.now() - LOOK_AFTER_MS;
    let count = 0;
    while (count < this.#sent.length && this.#sent[count]!.at <= due) count += 1;
    const keys = this.#sent.splice(0, count).map(({ key }) => key);
    try {
      const unclaimed = await this.#countLeft(keys);
      if (unclaimed > 0) this.#onUnclaimed(unclaimed);
    } catch {
      // Redis is away, and the lists with it: unclaimed replies cannot be counted.
    }
    this.#timer = this.#sent.length > 0 ? setTimeout(() => void this.#look(), LOOK_AFTER_MS / 4).unref() : undefined;
  }

  // One command counts many keys, where they may lie in several slots.
  async #countLeft(keys: readonly string[]): Promise<number> {
    const size = this.#redis.oneSlotPerRead ? 1 : COUNTED_AT_ONCE;
    const counts: Promise<number>[] = [];
    for (let i = 0; i < keys.length; i += size) {
      counts.push(this.#redis.command<number>('EXISTS', ...keys.slice(i, i + size)));
    }
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }
}
