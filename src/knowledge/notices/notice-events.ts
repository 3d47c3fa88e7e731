import { createHmac } from 'node:crypto';
import { NoticeSeal } from '../../protocol/internal/index.ts';
import type { CommandConnection, Keys, RedisConnection } from '../../redis/index.ts';
import { HotCache } from '../hot-cache.ts';
import type { ItemHash } from '../item-hash.ts';
import type { ListedNotice } from './notice.ts';
import { eraseNoticeEvents } from './scripts/erase-notice-events.ts';

/* notice-events.ts: what happens with notices, as entries of a bounded stream: live pages and consumers read them.
 *
 * An entry names the lists and subjects that it concerns by topics, which only the service can make: who reads the stream
 * learns what the service tells of its own visitors. Names of groups and subjects, and what a subject marked, stand in a
 * sealed part, for consumers that have the secret. An entry is written behind what it tells; where that fails, a page learns
 * of it when it asks next. */

/** About so many entries are kept. */
const STREAM_LENGTH = '10000';
/** An entry tells the ids of so many marked notices; of more several entries do. */
const MOST_IDS = 100;
const TOPIC_CHARACTERS = 16;
/** Entries of one step of a look for lists. */
const LOOKED_AT_ONCE = '1000';
/** Entries of one step of an erasure, and subjects: Redis serves no other command meanwhile. */
const ERASED_AT_ONCE = 500;

/** Whom a published notice is for. A subject stands here as it does on the wire. */
export type Addressee = { readonly group: string } | { readonly segment: string } | { readonly subject: string };

/** Is told of what was written into the stream. */
export interface NoticeEventCounts {
  /** An entry was written. `marked`: of how many marks it tells, and which. */
  written(event: string, marked?: { readonly as: string; readonly count: number }): void;
  /** An entry could not be written. */
  lost(): void;
}

/** Writes what happens with notices. */
export class NoticeEvents {
  /** Opens the sealed parts. */
  readonly seal: NoticeSeal;
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #topics: HotCache<string>;
  #counts: NoticeEventCounts | undefined;

  constructor(redis: RedisConnection, keys: Keys, secret: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.seal = new NoticeSeal(secret, keys.namespace);
    const text = (name: string): string => `sessionwise live\0${keys.namespace}\0${name}`;
    this.#topics = new HotCache(20_000, (name) =>
      createHmac('sha256', secret).update(text(name)).digest('base64url').slice(0, TOPIC_CHARACTERS),
    );
  }

  /** Tells what is written to `counts` from now on. */
  countBy(counts: NoticeEventCounts): void {
    this.#counts = counts;
  }

  /** The topic of a list. */
  topicOfList(list: ItemHash): string {
    return this.#topics.of(`list ${list}`);
  }

  /** The topic of a subject, by the name of its keys. */
  topicOf(subject: string): string {
    return this.#topics.of(`subject ${subject}`);
  }

  /** Tells that a notice was published. `isElsewhere`: whether its id stands in other lists too. */
  published(
    topic: string,
    to: Addressee,
    notice: Omit<ListedNotice, 'position' | 'group' | 'segment' | 'lists'>,
    isElsewhere: boolean,
  ): Promise<void> {
    const fields = ['notice', JSON.stringify(notice), 'elsewhere', isElsewhere ? '1' : '0'];
    return this.#append('published', [topic], fields, { to });
  }

  /** Tells that a notice was changed, or taken away. `to`: where it was one subject's. */
  changed(event: 'edited' | 'withdrawn', topics: readonly string[], id: string, to?: Addressee): Promise<void> {
    return this.#append(event, topics, ['id', id], to && { to });
  }

  /** Tells that a subject has marked notices. `name`: the subject, as it stands on the wire. */
  async marked(subject: string, name: string, as: string, ids: readonly string[]): Promise<void> {
    const entries: Promise<void>[] = [];
    for (let from = 0; from < ids.length; from += MOST_IDS) {
      const some = ids.slice(from, from + MOST_IDS);
      entries.push(this.#append('marked', [this.topicOf(subject)], [], { subject: name, as, ids: some }));
    }
    await Promise.all(entries);
  }

  /** Tells that what is known of a session is a person's now: the session's streams end, and both are counted anew. */
  merged(session: string, person: string): Promise<void> {
    const of = this.topicOf(session);
    return this.#append('merged', [this.topicOf(person), of], ['of', of]);
  }

  /** Tells that something else changed what a subject is shown: a group was muted. */
  settled(subject: string): Promise<void> {
    return this.#append('settled', [this.topicOf(subject)], []);
  }

  /** Tells that a suggestion begins to hold for a subject: its rule's name. What was seen stands nowhere in clear, so whoever tells it to
   *  the subject asks for the rest. */
  suggested(subject: string, rule: string): Promise<void> {
    return this.#append('suggested', [this.topicOf(subject)], ['rule', rule]);
  }

  /** Reads to which groups and segments notices were published, behind an entry of the stream, as far as it is kept: each
   *  once, the last one last. `after`: the `last` of the answer before; default: from the beginning. */
  async listsSince(after = '-'): Promise<{ readonly lists: readonly Addressee[]; readonly last: string }> {
    const found = new Map<string, Addressee>();
    let last = after;
    for (;;) {
      const from = last === '-' ? '-' : `(${last}`;
      const entries = await this.#redis.command<[id: string, fields: string[]][]>(
        ...['XRANGE', this.#keys.live(), from, '+', 'COUNT', LOOKED_AT_ONCE],
      );
      for (const [id, flat] of entries) {
        last = id;
        const to = this.#listOf(flat);
        if (!to) continue;
        const name = JSON.stringify(to);
        found.delete(name);
        found.set(name, to);
      }
      if (entries.length < Number(LOOKED_AT_ONCE)) return { lists: [...found.values()], last };
    }
  }

  // Undefined for other events, for a notice to a subject, and for what was sealed with another secret.
  #listOf(flat: readonly string[]): Addressee | undefined {
    const field = (name: string): string => {
      const at = flat.findIndex((each, i) => i % 2 === 0 && each === name);
      return at < 0 ? '' : flat[at + 1]!;
    };
    if (field('event') !== 'published') return undefined;
    const names = this.seal.open('published', field('to'), field('sealed')) as { readonly to?: Addressee } | undefined;
    return names?.to && 'subject' in names.to ? undefined : names?.to;
  }

  /** Deletes the events that were told to subjects, by the names of their keys. Returns how many. `redis`: each of its
   *  commands is a step. */
  async erase(redis: CommandConnection, subjects: readonly string[]): Promise<number> {
    const stream = this.#keys.live();
    let deleted = 0;
    for (let at = 0; at < subjects.length; at += ERASED_AT_ONCE) {
      const topics = subjects.slice(at, at + ERASED_AT_ONCE).map((subject) => this.topicOf(subject));
      for (let from = '-'; from !== ''; ) {
        const args = { from, count: ERASED_AT_ONCE };
        const [count, last] = await eraseNoticeEvents.run(redis, { stream }, args, { args: topics });
        deleted += count;
        from = last === '' ? '' : `(${last}`;
      }
    }
    return deleted;
  }

  // `names`: for consumers alone.
  async #append(
    event: string,
    topics: readonly string[],
    fields: readonly string[],
    names?: SealedNames,
  ): Promise<void> {
    if (topics.length === 0) return;
    const to = topics.join(' ');
    const sealed = names ? ['sealed', this.seal.close(event, to, names)] : [];
    const length = ['MAXLEN', '~', STREAM_LENGTH];
    try {
      await this.#redis.command(
        ...['XADD', this.#keys.live(), ...length, '*', 'event', event, 'to', to, ...fields, ...sealed],
      );
      this.#counts?.written(event, names && 'ids' in names ? { as: names.as, count: names.ids.length } : undefined);
    } catch {
      this.#counts?.lost();
    }
  }
}

type SealedNames =
  | { readonly to: Addressee }
  | { readonly subject: string; readonly as: string; readonly ids: readonly string[] };
