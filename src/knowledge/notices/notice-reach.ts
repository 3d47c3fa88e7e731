import { createHmac } from 'node:crypto';
import type { ItemHash, ItemHasher } from '../item-hash.ts';
import type { ReadingContext } from '../subject-reading.ts';

/* notice-reach.ts: how many subjects saw and read a notice, each in a HyperLogLog. What is added names no subject, and two
 * notices' cannot be compared. A subject is added once, when it sees or reads the notice first. Written behind the mark: where
 * that fails, or the process ends between the two, the mark stands and the estimate lacks one. */

// As long as a person is kept.
const KEPT_SECONDS = String(400 * 86_400);

/** What became of marked notices: how many subjects saw and read them is counted by it. */
interface MarkedNotices {
  /** The hashes of the ids that the subject had not seen before. */
  readonly seen: readonly ItemHash[];
  /** Of those that it had not read before. */
  readonly read: readonly ItemHash[];
}

/** Counts the subjects that saw and read notices. */
export class NoticeReach {
  readonly #context: ReadingContext;
  readonly #items: ItemHasher;
  readonly #key: string;

  /** `key`: hashes the subjects. */
  constructor(context: ReadingContext, items: ItemHasher, key: string) {
    this.#context = context;
    this.#items = items;
    this.#key = key;
  }

  /** Adds a subject to those who saw and read notices. Never rejects: a notice may lie on another server than its reader. */
  async add(subject: string, { seen, read }: MarkedNotices): Promise<void> {
    const { keys } = this.#context;
    await Promise.allSettled([
      ...seen.map((notice) => this.#addTo(keys.noticeReach(notice, 'seen'), subject, notice)),
      ...read.map((notice) => this.#addTo(keys.noticeReach(notice, 'read'), subject, notice)),
    ]);
  }

  /** Estimates how many subjects saw and read each notice. */
  read(ids: readonly string[]): Promise<{ readonly seen: number; readonly read: number }[]> {
    const { redis, keys } = this.#context;
    return Promise.all(
      ids.map(async (id) => {
        const notice = this.#items.of('notice', id);
        const [seen, read] = await Promise.all([
          redis.command<number>('PFCOUNT', keys.noticeReach(notice, 'seen')),
          redis.command<number>('PFCOUNT', keys.noticeReach(notice, 'read')),
        ]);
        return { seen, read };
      }),
    );
  }

  async #addTo(key: string, subject: string, notice: ItemHash): Promise<void> {
    const { redis } = this.#context;
    const member = createHmac('sha256', this.#key).update(`${notice} ${subject}`).digest('base64url').slice(0, 11);
    if ((await redis.command<number>('PFADD', key, member)) === 1) await redis.command('EXPIRE', key, KEPT_SECONDS);
  }
}
