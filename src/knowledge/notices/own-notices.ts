import { isPerson } from '../../protocol/index.ts';
import type { Keys, RedisConnection } from '../../redis/index.ts';
import type { ItemHash, ItemHasher } from '../item-hash.ts';
import type { SubjectWrites } from '../subject-writes.ts';
import { byAge, decodeEntry, encodeEntry, type ListedNotice } from './notice.ts';
import { changedEntry, type NoticeChanges } from './notice-changes.ts';
import type { NoticeEvents } from './notice-events.ts';
import type { NoticeToList, Published } from './notice-lists.ts';
import { NoticeRefusedError } from './notice-refused-error.ts';
import type { KnownList } from './notice-view.ts';
import { changeOwnNotice, type publishOwnScript } from './scripts/subject-scripts.ts';
import type { OwnEntry, SubjectStates } from './subject-states.ts';

const MOST_TRIES = 20;

/** The notices to one subject alone. */
export class OwnNotices {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #items: ItemHasher;
  readonly #states: SubjectStates;
  readonly #events: NoticeEvents;
  readonly #writes: SubjectWrites;
  readonly #scriptOf: (subject: string) => ReturnType<typeof publishOwnScript>;

  /** `scriptOf`: the script that publishes to a subject. */
  constructor(
    { redis, keys }: { readonly redis: RedisConnection; readonly keys: Keys },
    parts: {
      readonly items: ItemHasher;
      readonly states: SubjectStates;
      readonly events: NoticeEvents;
      readonly writes: SubjectWrites;
    },
    scriptOf: (subject: string) => ReturnType<typeof publishOwnScript>,
  ) {
    this.#redis = redis;
    this.#keys = keys;
    this.#items = parts.items;
    this.#states = parts.states;
    this.#events = parts.events;
    this.#writes = parts.writes;
    this.#scriptOf = scriptOf;
  }

  /** Publishes a notice to one subject. The same id again changes nothing. `name`: the subject, as it stands on the wire;
   *  default: a session's is that of its keys.
   *  @throws NoticeRefusedError where it would end before it begins, or the session was ended. */
  async publish(
    subject: string,
    { publishAt = 0, expiresAt = 0, ...notice }: NoticeToList,
    name: string = subject,
  ): Promise<Published> {
    const noticeHash = this.#items.of('notice', notice.id);
    const named = this.#writes.keysOf(subject, {
      states: this.#keys.noticeStates(subject),
      own: this.#keys.ownNotices(subject),
    });
    const args = {
      now: this.#writes.seconds(),
      noticeKey: String(noticeHash),
      at: publishAt,
      expiresAt: String(expiresAt),
      notice: encodeEntry(notice, noticeHash, 0, 0).slice(`0 0 ${noticeHash} `.length),
    };
    const { status, values } = await this.#scriptOf(subject).run(this.#redis, named, args);
    if (status === 'past') throw new NoticeRefusedError('"expiresAt" is not after the time from which on it is shown.');
    if (status === 'ended') throw new NoticeRefusedError('The session was ended.');
    const [at, claimed] = values;
    if (claimed === 1) await this.#writes.mergeLate(subject);
    if (status === 'added') {
      const shown = { ...notice, at: Number(at), ...(expiresAt > 0 && { expiresAt }) };
      await this.#events.published(this.#events.topicOf(subject), { subject: name }, shown, false);
    }
    return { isNew: status === 'added', at: Number(at) };
  }

  /** Changes a notice to one subject; undefined takes it away. `name`: as of `publish`. Returns whether the subject had it. */
  async change(
    subject: string,
    id: string,
    changes: NoticeChanges | undefined,
    name: string = subject,
  ): Promise<boolean> {
    const own = this.#keys.ownNotices(subject);
    const noticeHash = this.#items.of('notice', id);
    const event = changes ? 'edited' : 'withdrawn';
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const expected = await this.#redis.command<string | null>('HGET', own, `i${noticeHash}`);
      if (expected === null) return false;
      const sequence = sequenceOfOwn(expected);
      const entry = expected.slice(expected.indexOf(' ') + 1);
      const changed = changes ? `${sequence} ${changedEntry(entry, noticeHash, changes)}` : '';
      const args = { noticeKey: String(noticeHash), expected, changed, isPerson: isPerson(subject) };
      if ((await changeOwnNotice.run(this.#redis, { own }, args)).status === 'changed') continue;
      await this.#events.changed(event, [this.#events.topicOf(subject)], id, { subject: name });
      return true;
    }
    throw new Error('The notice is changed so often that it could not be edited.');
  }

  /** Lists them, also those that are still to come or have expired; the newest first. */
  async list(subject: string): Promise<ListedNotice[]> {
    const notices = noticesOf((await this.#states.readOwn(subject)).entries, this.#states.ownList);
    return notices.sort((a, b) => b.position.sequence - a.position.sequence);
  }

  /** Reads them as a list, without what the subject did with them. */
  async read(subject: string): Promise<KnownList['list']> {
    const hash = this.#states.ownList;
    const own = await this.#states.readOwn(subject);
    const notices = noticesOf(own.entries, hash);
    const inOrder = notices.slice().sort(byAge);
    return { hash, joining: 'all', readAt: own.lastAt, notices, byAge: inOrder, shared: [], isTimed: true };
  }
}

/** The number of an own notice. */
export function sequenceOfOwn(entry: OwnEntry): number {
  return Number(entry.slice(0, entry.indexOf(' ')));
}

function noticesOf(own: ReadonlyMap<ItemHash, OwnEntry>, list: ItemHash): ListedNotice[] {
  return [...own.values()].map((entry) => ({
    ...decodeEntry(entry.slice(entry.indexOf(' ') + 1)),
    position: { list, sequence: sequenceOfOwn(entry) },
  }));
}
