import {
  type Apply,
  type Clock,
  type Keys,
  partitionOf,
  type RedisConnection,
  runStep,
  type Step,
} from '../redis/index.ts';
import { ItemEncryption } from './item-encryption.ts';
import { type ItemHash, ItemHasher } from './item-hash.ts';
import { NoticeLists, type NoticePosition } from './notice-lists.ts';
import { PendingWrites } from './pending-writes.ts';
import { ReadNotices } from './read-notices.ts';
import { RecordReads } from './record-reads.ts';
import { RETENTION_DEFAULTS, type Retention } from './retention.ts';
import { eraseSubject } from './scripts/erase-subject.ts';
import { markItemsScript } from './scripts/mark-items.ts';
import { recordViewScript } from './scripts/record-view.ts';
import { SeenFilter } from './seen-filter.ts';
import { SEEN_ITEMS_DEFAULTS, type SeenItemsOptions } from './seen-items-options.ts';
import { type ReadingContext, SubjectReading } from './subject-reading.ts';
import type { Visit } from './visit.ts';

/** How long nothing is noted of a subject that was erased, in seconds: a request of before may still be under way. */
const ERASED_SECONDS = 3_600;

/** How knowledge is kept; every part has its default. */
export interface KnowledgeOptions {
  readonly seen?: SeenItemsOptions;
  readonly retention?: Retention;
}

/** All that is known of the subjects of one namespace: what they saw, when, how often, and which notices they read. */
export class Knowledge {
  /** Hashes items. Every method takes hashes of items. */
  readonly items: ItemHasher;
  readonly noticeLists: NoticeLists;
  readonly readNotices: ReadNotices;
  readonly now: Clock;
  readonly #context: ReadingContext;
  readonly #recordView: ReturnType<typeof recordViewScript>;
  readonly #markItems: ReturnType<typeof markItemsScript>;

  /** @throws RangeError for a secret or options that cannot be used. */
  constructor(redis: RedisConnection, keys: Keys, secret: string, clock: Clock, options: KnowledgeOptions = {}) {
    const { seen = SEEN_ITEMS_DEFAULTS, retention = RETENTION_DEFAULTS } = options;
    const encryption = new ItemEncryption(secret, keys.namespace);
    this.items = new ItemHasher(secret, keys.namespace);
    this.now = clock;
    this.noticeLists = new NoticeLists(redis, keys, this.items);
    const writes = new PendingWrites();
    const records = new RecordReads(redis, keys);
    this.#context = { redis, keys, records, encryption, writes, filter: new SeenFilter(redis, seen.engine, seen) };
    this.readNotices = new ReadNotices(this.#context, this.items, retention);
    this.#recordView = recordViewScript(seen, retention);
    this.#markItems = markItemsScript(seen, retention);
  }

  /** Begins a reading of a subject: it reads when it is asked first, and answers as of then. */
  read(subject: string): SubjectReading {
    return new SubjectReading(subject, this.#context);
  }

  /** Records a view of a page. `at`: when, in milliseconds of the epoch; undefined: now, by Redis's clock. `apply`: does the
   *  step; default by itself. Returns the visit as it was before, but for the two counts. */
  recordView(subject: string, page: ItemHash, at?: number, apply: Apply = this.#apply): Promise<Visit> {
    return this.#write(subject, this.#recordingView(subject, page, at), apply);
  }

  /** Marks items as seen. `apply`: does the step; default by itself. Returns, per item, whether it had been seen before. A
   *  false "seen" happens at the configured rate and only in the large form, a false "unseen" never. */
  async markItems(subject: string, items: readonly ItemHash[], apply: Apply = this.#apply): Promise<boolean[]> {
    return items.length === 0 ? [] : this.#write(subject, this.#markingItems(subject, items), apply);
  }

  /** Marks notices as read, in one atomic step: those of stored lists by their positions, foreign ones by their ids.
   *  `apply`: does the step; default by itself. */
  async markNotices(
    subject: string,
    positions: readonly NoticePosition[],
    foreignIds: readonly string[],
    apply: Apply = this.#apply,
  ): Promise<void> {
    if (positions.length === 0 && foreignIds.length === 0) return;
    const mark = { positions, foreignIds, now: this.#seconds() };
    await this.#write(subject, this.readNotices.marking(subject, mark, this.#keysOf(subject)), apply);
  }

  /** Erases everything that is known of a subject; nothing is noted of it for an hour. Returns how many keys there were. */
  erase(subject: string): Promise<number> {
    const { redis, keys } = this.#context;
    const args = { subject, namespace: keys.namespace, markSeconds: ERASED_SECONDS };
    return eraseSubject.run(redis, this.#keysOf(subject), args);
  }

  readonly #apply: Apply = (step) => runStep(this.#context.redis, step);

  #write<Result>(subject: string, step: Promise<Step<Result>>, apply: Apply): Promise<Result> {
    const { records, writes } = this.#context;
    const write = step.then((ready) => {
      records.sendBefore(subject);
      return apply(ready);
    });
    return writes.add(subject, write);
  }

  async #recordingView(subject: string, page: ItemHash, at: number | undefined): Promise<Step<Visit>> {
    const encrypted = await this.#context.encryption.encrypt(subject, [page]);
    const now = this.#seconds();
    const args = { page: encrypted[0]!, at: at === undefined ? now : Math.floor(at / 1_000), now };
    return this.#recordView.step(this.#keysOf(subject), args, readVisit);
  }

  async #markingItems(subject: string, items: readonly ItemHash[]): Promise<Step<boolean[]>> {
    const encrypted = await this.#context.encryption.encrypt(subject, items);
    const args = { now: this.#seconds() };
    const read = (seen: number[]): boolean[] => items.map((_, i) => seen[i] === 1);
    return this.#markItems.step(this.#keysOf(subject), args, read, { args: encrypted });
  }

  #seconds(): number {
    return Math.floor(this.now() / 1_000);
  }

  // A step of several keys must be refused as a whole while a slot moves; see `Keys.absent`.
  #keysOf(subject: string): { readonly record: string; readonly absent?: string } {
    const { redis, keys } = this.#context;
    const record = keys.subject(subject);
    return redis.movesSlots ? { record, absent: keys.absent(partitionOf(subject)) } : { record };
  }
}

function readVisit([totalPages, uniquePages, seen, bits]: [number, number, 0 | 1, number]): Visit {
  return {
    totalPages,
    uniquePages,
    previouslyVisited: seen === 1,
    lastMinutes: [5, 4, 3, 2, 1].map((back) => ((bits >> back) & 1) === 1),
    thisMinute: (bits & 1) === 1,
  };
}
