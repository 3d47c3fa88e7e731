import type { Keys, RedisConnection } from '../../redis/index.ts';
import type { ItemHash, ItemHasher } from '../item-hash.ts';
import type { NoticePosition } from './notice.ts';
import { dropPosition, notePosition } from './scripts/position-scripts.ts';

/* notice-positions.ts: an index that finds the positions of a notice by its id, because "mark n1 as read" names no list. It
 * lies in another slot than the lists, and is written behind them: by the numbers, which only grow, a write that comes late
 * cannot undo what came after it. */

/** Where notices stand, by their ids. */
export class NoticePositions {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #items: ItemHasher;

  constructor(redis: RedisConnection, keys: Keys, items: ItemHasher) {
    this.#redis = redis;
    this.#keys = keys;
    this.#items = items;
  }

  /** Finds the positions of each id; an empty list for an id that no list holds. */
  locate(ids: readonly string[]): Promise<NoticePosition[][]> {
    return Promise.all(ids.map((id) => this.of(this.#items.of('notice', id))));
  }

  /** The positions of one notice. */
  async of(notice: ItemHash): Promise<NoticePosition[]> {
    const found = await this.#redis.command<Record<string, string>>('HGETALL', this.#keys.noticeIndex(notice));
    return Object.entries(found).map(([list, sequence]) => ({ list: Number(list), sequence: Number(sequence) }));
  }

  /** Notes where a notice stands now. Nothing is done where a later number of the list is noted. */
  async note(notice: ItemHash, { list, sequence }: NoticePosition): Promise<void> {
    const args = { list: String(list), sequence: String(sequence) };
    await notePosition.run(this.#redis, { positions: this.#keys.noticeIndex(notice) }, args);
  }

  /** Forgets that a notice stands there. Nothing is done where another number of the list is noted by now. */
  async drop(notice: ItemHash, { list, sequence }: NoticePosition): Promise<void> {
    const args = { list: String(list), sequence: String(sequence) };
    await dropPosition.run(this.#redis, { positions: this.#keys.noticeIndex(notice) }, args);
  }
}
