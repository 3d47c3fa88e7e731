import { checkGroupName } from '../../protocol/internal/index.ts';
import type { Keys, RedisConnection } from '../../redis/index.ts';
import type { ItemHash, ItemHasher } from '../item-hash.ts';
import { KeptLists, type ListName, type NoticeList, nameOf } from './kept-lists.ts';
import {
  encodeEntry,
  entryInLists,
  type Joining,
  NOTICE_CAP,
  type NoticePosition,
  type StoredNotice,
} from './notice.ts';
import { changedEntry, type NoticeChanges } from './notice-changes.ts';
import type { NoticeEvents } from './notice-events.ts';
import { NoticePositions } from './notice-positions.ts';
import { NoticeRefusedError } from './notice-refused-error.ts';
import { editNotice, publishNotice, setJoining, withdrawNotice } from './scripts/list-scripts.ts';

/* notice-lists.ts: notices to groups and segments, the side of the list.
 *
 * One capped list each: publishing is one write for an audience of any size. Each entry has a number in its list; what
 * subjects did (notice-states.ts) refers to notices by these numbers only. A list's numbers begin at the clock's
 * microseconds, so that one that was deleted and made anew never uses a number twice. When a notice is shown is decided as
 * it is read. */

/** A notice that is to be published. Times are milliseconds of the epoch; default: from now on, for ever. */
export interface NoticeToList extends StoredNotice {
  readonly publishAt?: number;
  readonly expiresAt?: number;
}

/** What publishing did. */
export interface Published {
  /** Whether the list did not hold the id before; if it did, nothing was changed. */
  readonly isNew: boolean;
  /** From when on it is shown. */
  readonly at: number;
}

const MOST_TRIES = 20;

/** The lists of notices that the store keeps. */
export class NoticeLists {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #items: ItemHasher;
  readonly #events: NoticeEvents;
  readonly #kept: KeptLists;
  readonly #positions: NoticePositions;

  constructor(redis: RedisConnection, keys: Keys, items: ItemHasher, events: NoticeEvents) {
    this.#events = events;
    this.#redis = redis;
    this.#keys = keys;
    this.#items = items;
    this.#kept = new KeptLists(redis, keys, items);
    this.#positions = new NoticePositions(redis, keys, items);
  }

  /** The hash by which a list is named.
   *  @throws ProtocolError for a name that cannot be used. */
  hashOf({ kind, name }: ListName): ItemHash {
    return this.#items.of(kind, checkGroupName(name, kind));
  }

  /** Publishes a notice to a list: one write for the list, one for the index. Publishing the same id to the same list again
   *  changes nothing, so a retry is safe; it also repairs an index whose write failed. The same id in several lists is one
   *  notice: read in one, it is read in all, also in those to which it is published later.
   *  @throws ProtocolError for a name that cannot be used; NoticeRefusedError where it would end before it begins, or all 1,000 of the list are still to come. */
  async publish(to: ListName, { publishAt = 0, expiresAt = 0, ...notice }: NoticeToList): Promise<Published> {
    const hash = this.hashOf(to);
    const noticeHash = this.#items.of('notice', notice.id);
    const others = (await this.#listsHolding(noticeHash)).filter((list) => list !== hash).length;
    const entry = encodeEntry({ ...notice, ...(others > 0 && { lists: others + 1 }) }, noticeHash, 0, 0);
    const args = {
      noticeKey: String(noticeHash),
      at: publishAt,
      expiresAt: String(expiresAt),
      notice: entry.slice(`0 0 ${noticeHash} `.length),
    };
    const { status, values } = await publishNotice.run(this.#redis, this.#kept.keysOf(hash), args);
    if (status === 'past') throw new NoticeRefusedError('"expiresAt" is not after the time from which on it is shown.');
    if (status === 'full') {
      throw new NoticeRefusedError(`All ${NOTICE_CAP} notices of ${to.name} are still to come: withdraw some.`);
    }
    const [sequence, at, dropped = [], moved = []] = values as Partial<typeof values>;
    if (to.kind === 'segment') await this.#noteSegment(hash);
    await Promise.all([
      ...pairsOf([String(noticeHash), sequence!, ...moved]).map(([notice, number]) =>
        this.#positions.note(notice, { list: hash, sequence: number }),
      ),
      ...pairsOf(dropped).map(([notice, number]) => this.#positions.drop(notice, { list: hash, sequence: number })),
    ]);
    const [isElsewhere] = await Promise.all([
      this.#noteOthers(noticeHash),
      ...pairsOf(moved).map(([notice]) => this.#listsHolding(notice)),
    ]);
    if (status === 'added') {
      const shown = { ...notice, at: Number(at), ...(expiresAt > 0 && { expiresAt }) };
      await this.#events.published(this.#events.topicOfList(hash), nameOf(to), shown, isElsewhere);
      return { isNew: true, at: Number(at) };
    }
    return { isNew: false, at: Number(at) };
  }

  /** Changes a notice in all lists that hold it: fields that are given replace those of the same name, null deletes one.
   *  What subjects did with it stays. Returns in how many lists it stands.
   *  @throws NoticeRefusedError where it would end before it begins, in one of them. */
  async edit(id: string, changes: NoticeChanges): Promise<number> {
    const noticeHash = this.#items.of('notice', id);
    const lists = (await this.#positions.of(noticeHash)).map(({ list }) => list);
    const change = (entry: string): string => changedEntry(entry, noticeHash, changes);
    // What is refused for one list is changed in none.
    const looked = lists.length > 1 ? lists.map((hash) => this.#entryIn(hash, noticeHash)) : [];
    for (const entry of await Promise.all(looked)) if (entry !== null) change(entry);
    const edited = await Promise.all(lists.map((hash) => this.#editIn(hash, noticeHash, change)));
    const changed = lists.filter((_, i) => edited[i]);
    await this.#events.changed(
      'edited',
      changed.map((hash) => this.#events.topicOfList(hash)),
      id,
    );
    return changed.length;
  }

  /** Takes a notice out of all lists that hold it. Returns in how many it stood. */
  async withdraw(id: string): Promise<number> {
    const noticeHash = this.#items.of('notice', id);
    const positions = await this.#positions.of(noticeHash);
    const args = { noticeKey: String(noticeHash) };
    const numbers = await Promise.all(
      positions.map(async (position) => {
        const answer = await withdrawNotice.run(this.#redis, this.#kept.keysOf(position.list), args);
        const [number] = answer.values;
        // Published again meanwhile, it stands there under another number.
        await this.#positions.drop(
          noticeHash,
          number === undefined ? position : { ...position, sequence: Number(number) },
        );
        return number;
      }),
    );
    const left = positions.flatMap(({ list }, i) => (numbers[i] === undefined ? [] : [list]));
    await this.#events.changed(
      'withdrawn',
      left.map((hash) => this.#events.topicOfList(hash)),
      id,
    );
    return left.length;
  }

  /** Says from when on subjects that meet a list see it: the whole list (default), or what is published from then on. Who
   *  has met it keeps what it had. */
  async setJoining(to: ListName, joining: Joining): Promise<void> {
    await setJoining.run(this.#redis, { index: this.#kept.keysOf(this.hashOf(to)).index }, { joining });
  }

  /** Reads a list; an unknown one is empty. What is still to come, and what has expired, stands in it too.
   *  @throws ProtocolError for a name that cannot be used. */
  async read(of: ListName): Promise<NoticeList> {
    return this.#kept.read(of, this.hashOf(of));
  }

  /** The ids of the newest notices of the lists that this process keeps, as far as they were read. */
  newest(count: number, now: number): string[] {
    return this.#kept.newest(count, now);
  }

  /** Of segments, those that have a list. One question for all that ask in the same turn. */
  haveLists(segments: readonly string[]): Promise<string[]> {
    return this.#kept.haveLists(segments);
  }

  /** Finds the positions of each id; an empty list for an id that no list holds. */
  locate(ids: readonly string[]): Promise<NoticePosition[][]> {
    return this.#positions.locate(ids);
  }

  async #noteSegment(hash: ItemHash): Promise<void> {
    const catalog = this.#keys.noticeListIndex(this.#items.of('segment', ''));
    if ((await this.#redis.command<number>('HSETNX', catalog, String(hash), '1')) === 1) {
      await this.#redis.command('HINCRBY', catalog, 'rev', '1');
    }
  }

  // A process that ended while it withdrew a notice left positions where it stands no more, and so does a publish that noted
  // one behind the withdrawal: what was read there is not this notice.
  async #listsHolding(noticeHash: ItemHash): Promise<ItemHash[]> {
    const positions = await this.#positions.of(noticeHash);
    const held = await Promise.all(
      positions.map(async (position) => {
        const { index } = this.#kept.keysOf(position.list);
        const isHeld = (await this.#redis.command<string | null>('HGET', index, `i${noticeHash}`)) !== null;
        if (!isHeld) await this.#positions.drop(noticeHash, position);
        return isHeld;
      }),
    );
    return positions.flatMap(({ list }, i) => (held[i] ? [list] : []));
  }

  // Notes in each list that holds a notice how many do, so that a page that asks about one of them only learns that what was
  // done with it may stand in another. Whether there are several.
  async #noteOthers(noticeHash: ItemHash): Promise<boolean> {
    const lists = await this.#listsHolding(noticeHash);
    if (lists.length <= 1) return false;
    await Promise.all(
      lists.map((hash) => this.#editIn(hash, noticeHash, (entry) => entryInLists(entry, noticeHash, lists.length))),
    );
    return true;
  }

  // Null where the list does not hold the notice.
  async #entryIn(hash: ItemHash, noticeHash: ItemHash): Promise<string | null> {
    const { list, index } = this.#kept.keysOf(hash);
    const name = await this.#redis.command<string | null>('HGET', index, `i${noticeHash}`);
    return name === null ? null : this.#redis.command<string | null>('HGET', list, name);
  }

  async #editIn(hash: ItemHash, noticeHash: ItemHash, change: (entry: string) => string): Promise<boolean> {
    const keys = this.#kept.keysOf(hash);
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const expected = await this.#entryIn(hash, noticeHash);
      if (expected === null) return false;
      const entry = change(expected);
      if (entry === expected) return true;
      const args = { noticeKey: String(noticeHash), expected, entry };
      const { status } = await editNotice.run(this.#redis, keys, args);
      if (status !== 'changed') return status === 'edited';
    }
    throw new Error('The notice is changed so often that it could not be edited.');
  }
}

// Keys of notices, each with its number.
function pairsOf(flat: readonly string[]): [notice: ItemHash, number: number][] {
  return flat.flatMap((key, i) => (i % 2 === 0 ? [[Number(key), Number(flat[i + 1])] as [ItemHash, number]] : []));
}
