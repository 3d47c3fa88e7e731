import { atEndOfTurn } from '../../async/index.ts';
import type { Keys, RedisConnection } from '../../redis/index.ts';
import type { ItemHash, ItemHasher } from '../item-hash.ts';
import { byAge, decodeEntry, isShown, type Joining, type ListedNotice, NOTICE_CAP } from './notice.ts';
import { readChanges } from './scripts/list-scripts.ts';

/* kept-lists.ts: the lists of notices as a process keeps them. A list is read and parsed once; later only what was changed
 * in it. */

/** Whom a list is for. */
export interface ListName {
  readonly kind: 'group' | 'segment';
  readonly name: string;
}

/** A list as it was read last. */
export interface NoticeList {
  readonly hash: ItemHash;
  readonly joining: Joining;
  /** The time by Redis's clock when it was read: what was published before is shown, also where the service's own clock is
   *  a little behind. */
  readonly readAt: number;
  /** The newest number first. */
  readonly notices: readonly ListedNotice[];
  /** The same, in the order in which they are shown (`byAge`). */
  readonly byAge: readonly ListedNotice[];
  /** The ids of those that other lists hold too, or held. */
  readonly shared: readonly string[];
  /** Whether some are still to come, as of `readAt`, or expire. */
  readonly isTimed: boolean;
}

interface KeptList extends NoticeList {
  readonly revision: string;
  readonly characters: number;
}

/** The keys of a list. */
export interface ListKeys {
  readonly list: string;
  readonly revisions: string;
  readonly index: string;
}

// Of all lists that are kept together, in characters of JSON.
const KEPT_CHARACTERS = 8_000_000;
const NOTHING = { joining: 'all', readAt: 0, notices: [], byAge: [], shared: [], isTimed: false } as const;

/** Reads lists, and keeps what it has read. */
export class KeptLists {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #items: ItemHasher;
  readonly #lists = new Map<ItemHash, KeptList>();
  readonly #asking = new Map<ItemHash, Promise<string | null>>();
  readonly #reading = new Map<string, Promise<KeptList>>();
  #keptCharacters = 0;
  #followsLosses = false;
  #segments: { readonly revision: string; readonly fields: ReadonlySet<string> } | undefined;

  constructor(redis: RedisConnection, keys: Keys, items: ItemHasher) {
    this.#redis = redis;
    this.#keys = keys;
    this.#items = items;
  }

  /** Reads a list; an unknown one is empty. `hash`: of its name. */
  async read(of: ListName, hash: ItemHash): Promise<NoticeList> {
    const revision = await this.#revisionOf(hash);
    const kept = this.#lists.get(hash);
    if (revision === null) return { hash, ...NOTHING };
    return kept?.revision === revision ? kept : this.#readOnce(of, hash, revision, kept);
  }

  /** Of segments, those that have a list. One question for all that ask in the same turn. */
  async haveLists(segments: readonly string[]): Promise<string[]> {
    if (segments.length === 0) return [];
    const catalog = this.#items.of('segment', '');
    const revision = await this.#revisionOf(catalog);
    if (revision === null) return [];
    if (this.#segments?.revision !== revision) {
      const fields = await this.#redis.command<string[]>('HKEYS', this.#keys.noticeListIndex(catalog));
      this.#segments = { revision, fields: new Set(fields) };
    }
    const { fields } = this.#segments;
    return segments.filter((name) => fields.has(String(this.#items.of('segment', name))));
  }

  /** The keys of a list. */
  keysOf(hash: ItemHash): ListKeys {
    return {
      list: this.#keys.noticeList(hash),
      revisions: this.#keys.noticeRevisions(hash),
      index: this.#keys.noticeListIndex(hash),
    };
  }

  /** The ids of the newest notices of all lists that are kept, as far as they were read. `now`: those that are shown by then. */
  newest(count: number, now: number): string[] {
    const heads = [...this.#lists.values()].flatMap((list) =>
      list.byAge.filter((notice) => isShown(notice, now)).slice(0, count),
    );
    return [...new Set(heads.sort(byAge).map(({ id }) => id))].slice(0, count);
  }

  // The last revision; one question for all that ask in the same turn.
  #revisionOf(hash: ItemHash): Promise<string | null> {
    let revision = this.#asking.get(hash);
    if (!revision) {
      revision = this.#redis.command<string | null>('HGET', this.#keys.noticeListIndex(hash), 'rev');
      this.#asking.set(hash, revision);
      if (this.#asking.size === 1) atEndOfTurn(() => this.#asking.clear());
    }
    return revision;
  }

  // All that ask for it meanwhile share one reading.
  #readOnce(of: ListName, hash: ItemHash, revision: string, kept: KeptList | undefined): Promise<NoticeList> {
    const name = `${revision} ${hash}`;
    let reading = this.#reading.get(name);
    if (!reading) {
      reading = this.#readChanges(of, hash, kept).finally(() => this.#reading.delete(name));
      this.#reading.set(name, reading);
    }
    return reading;
  }

  async #readChanges(of: ListName, hash: ItemHash, kept: KeptList | undefined): Promise<KeptList> {
    if (!this.#followsLosses) {
      this.#followsLosses = true;
      // A Redis that comes back without its last second may give a revision twice.
      this.#redis.on('lost', () => this.#forgetAll());
    }
    const [last, revision, joining, names, entries, readAt] = await readChanges.run(this.#redis, this.keysOf(hash), {
      since: kept?.revision ?? '0',
    });
    // Redis has lost what is kept here: all of it is read anew.
    if (kept && Number(revision) < Number(kept.revision)) return this.#readChanges(of, hash, undefined);
    const bySequence = new Map(kept?.notices.map((notice) => [notice.position.sequence, notice]));
    let characters = kept?.characters ?? 0;
    for (const [i, name] of names.entries()) {
      const sequence = Number(name);
      bySequence.delete(sequence);
      const entry = entries[i];
      if (entry === null || entry === undefined) continue;
      characters += entry.length;
      bySequence.set(sequence, { ...decodeEntry(entry), ...nameOf(of), position: { list: hash, sequence } });
    }
    const list: KeptList = {
      hash,
      joining: joining === 'now' ? 'now' : 'all',
      readAt,
      ...ordered([...bySequence.values()], Number(last) - NOTICE_CAP, readAt),
      revision: revision ?? '0',
      characters,
    };
    this.#keep(hash, list, kept);
    return list;
  }

  #keep(hash: ItemHash, list: KeptList, before: KeptList | undefined): void {
    const isCurrent = this.#lists.get(hash) === before;
    // Two read at once: the later revision stays.
    if (!isCurrent && Number(this.#lists.get(hash)?.revision ?? 0) > Number(list.revision)) return;
    const added = list.characters - (this.#lists.get(hash)?.characters ?? 0);
    // One list is kept whatever it takes: else it would be read whole for each question.
    if (this.#keptCharacters + added > KEPT_CHARACTERS) this.#forgetAll();
    this.#keptCharacters += list.characters - (this.#lists.get(hash)?.characters ?? 0);
    this.#lists.set(hash, list);
  }

  #forgetAll(): void {
    this.#lists.clear();
    this.#segments = undefined;
    this.#keptCharacters = 0;
  }
}

/** The name of a list, as it stands with a notice. */
export function nameOf({ kind, name }: ListName): { readonly group: string } | { readonly segment: string } {
  return kind === 'group' ? { group: name } : { segment: name };
}

// `oldest`: the last number that has fallen off the list.
function ordered(
  all: readonly ListedNotice[],
  oldest: number,
  readAt: number,
): Pick<NoticeList, 'notices' | 'byAge' | 'shared' | 'isTimed'> {
  const notices = all
    .filter(({ position }) => position.sequence > oldest)
    .sort((a, b) => b.position.sequence - a.position.sequence);
  return {
    notices,
    byAge: notices.slice().sort(byAge),
    shared: notices.flatMap(({ id, lists = 1 }) => (lists > 1 ? [id] : [])),
    isTimed: notices.some(({ at, expiresAt }) => at > readAt || expiresAt !== undefined),
  };
}
