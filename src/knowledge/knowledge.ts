import { isPerson } from '../protocol/index.ts';
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
import { besideHas, countBeside } from './people/beside-filters.ts';
import { People } from './people/people.ts';
import { SubjectNames } from './people/subject-names.ts';
import { ReadNotices } from './read-notices.ts';
import { RecordReads } from './record-reads.ts';
import {
  type MovedRetention,
  PERSON_RETENTION,
  RETENTION_DEFAULTS,
  type Retention,
  type SubjectKind,
} from './retention.ts';
import { markItemsScript } from './scripts/mark-items.ts';
import { markNoticesScript } from './scripts/mark-notices.ts';
import { recordViewScript } from './scripts/record-view.ts';
import { SeenFilter } from './seen-filter.ts';
import { SEEN_ITEMS_DEFAULTS, type SeenItemsOptions } from './seen-items-options.ts';
import { type ReadingContext, SubjectReading } from './subject-reading.ts';
import type { RecordedVisit, Visit } from './visit.ts';

/** How knowledge is kept; every part has its default. */
export interface KnowledgeOptions {
  readonly seen?: SeenItemsOptions;
  readonly retention?: Retention;
  /** How long after its claim a session is still looked after, in milliseconds. Default 60,000. */
  readonly retireMs?: number;
}

/** All that is known of the subjects of one namespace: what they saw, when, how often, and which notices they read. */
export class Knowledge {
  /** Hashes items. Every method takes hashes of items. */
  readonly items: ItemHasher;
  readonly noticeLists: NoticeLists;
  readonly readNotices: ReadNotices;
  readonly now: Clock;
  readonly #context: ReadingContext;
  /** Merges what is known of sessions into what is known of persons. */
  readonly people: People;
  readonly #names: SubjectNames;
  readonly #ofSessions: WritingScripts;
  readonly #ofPeople: WritingScripts;

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
    this.readNotices = new ReadNotices(this.#context, this.items);
    this.#names = new SubjectNames(secret, keys.namespace);
    this.#ofSessions = scriptsOf(seen, retention, 'session');
    this.#ofPeople = scriptsOf(seen, PERSON_RETENTION, 'person');
    this.people = new People(this.#context, this.readNotices, clock, secret, {
      seen,
      seconds: PERSON_RETENTION.seconds,
      ...(options.retireMs !== undefined && { retireMs: options.retireMs }),
    });
  }

  /** Begins a reading of a session or a person: it reads when it is asked first, and answers as of then. Its `subject` is
   *  the name that all other methods take. */
  read(session: string): SubjectReading {
    return new SubjectReading(this.#names.of(session), this.#context);
  }

  /** Records a view of a page. `at`: when, in milliseconds of the epoch; undefined: now, by Redis's clock. `apply`: does the
   *  step; default by itself. Returns the visit as it was before, but for the two counts. */
  async recordView(subject: string, page: ItemHash, at?: number, apply: Apply = this.#apply): Promise<Visit> {
    const { isClaimed, ...visit } = await this.#write(subject, this.#recordingView(subject, page, at), apply);
    if (!isClaimed) return visit;
    if (isPerson(subject)) return this.#withBeside(subject, page, visit);
    await this.#mergeLate(subject);
    return visit;
  }

  /** Notes that a subject is active in this minute (`at`: in that one), without a view. Where it had no view yet, nothing is
   *  noted. `apply`: does the step; default by itself. Whether it is noted. */
  async recordActive(subject: string, at?: number, apply: Apply = this.#apply): Promise<boolean> {
    const { isClaimed, totalPages } = await this.#write(subject, this.#recordingView(subject, undefined, at), apply);
    if (isClaimed && !isPerson(subject)) await this.#mergeLate(subject);
    return totalPages > 0;
  }

  /** Marks items as seen. `apply`: does the step; default by itself. Returns, per item, whether it had been seen before. A
   *  false "seen" happens at the configured rate and only in the large form, a false "unseen" never. */
  async markItems(subject: string, items: readonly ItemHash[], apply: Apply = this.#apply): Promise<boolean[]> {
    if (items.length === 0) return [];
    const { seen, isClaimed } = await this.#write(subject, this.#markingItems(subject, items), apply);
    if (!isClaimed) return seen;
    if (isPerson(subject)) {
      const beside = await besideHas(this.#context, subject, 'item', items);
      return seen.map((each, i) => each || beside[i]!);
    }
    await this.#mergeLate(subject);
    return seen;
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
    if (await this.#write(subject, this.#markingNotices(subject, positions, foreignIds), apply)) {
      await this.#mergeLate(subject);
    }
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

  // What was noted of a claimed session is the person's: the answer waits until it is. Where it cannot be merged now, the
  // next sweep does it.
  async #mergeLate(subject: string): Promise<void> {
    await this.people.mergeLate(subject).catch(() => undefined);
  }

  // A person with filters of sessions beside its own record.
  async #withBeside(person: string, page: ItemHash, visit: Visit): Promise<Visit> {
    const [[seen], count] = await Promise.all([
      besideHas(this.#context, person, 'page', [page]),
      countBeside(this.#context, person, 'page'),
    ]);
    return {
      ...visit,
      uniquePages: visit.uniquePages + count,
      previouslyVisited: visit.previouslyVisited || seen!,
    };
  }

  #scriptsOf(subject: string): WritingScripts {
    return isPerson(subject) ? this.#ofPeople : this.#ofSessions;
  }

  async #markingNotices(
    subject: string,
    positions: readonly NoticePosition[],
    foreignIds: readonly string[],
  ): Promise<Step<boolean>> {
    const foreign = this.items.ofAll('notice', foreignIds);
    const { keys } = this.#context;
    const named = {
      ...this.#keysOf(subject),
      rings: keys.noticeRings(subject),
      foreign: keys.foreignNotices(subject),
    };
    const args = { now: this.#seconds(), positions: positions.length };
    const marks = await this.readNotices.argumentsOf(subject, { positions, foreign });
    return this.#scriptsOf(subject).markNotices.step(named, args, (claimed) => claimed === 1, { args: marks });
  }

  // Without a page it is no view, but the minute alone.
  async #recordingView(
    subject: string,
    page: ItemHash | undefined,
    at: number | undefined,
  ): Promise<Step<RecordedVisit>> {
    const encrypted = page === undefined ? [''] : await this.#context.encryption.encrypt(subject, [page]);
    const now = this.#seconds();
    const args = { page: encrypted[0]!, at: at === undefined ? now : Math.floor(at / 1_000), now };
    return this.#scriptsOf(subject).recordView.step(this.#keysOf(subject), args, readVisit);
  }

  async #markingItems(
    subject: string,
    items: readonly ItemHash[],
  ): Promise<Step<{ seen: boolean[]; isClaimed: boolean }>> {
    const encrypted = await this.#context.encryption.encrypt(subject, items);
    const args = { now: this.#seconds() };
    const read = (answers: number[]): { seen: boolean[]; isClaimed: boolean } => ({
      seen: items.map((_, i) => answers[i] === 1),
      isClaimed: answers.length > items.length,
    });
    return this.#scriptsOf(subject).markItems.step(this.#keysOf(subject), args, read, { args: encrypted });
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

interface WritingScripts {
  readonly recordView: ReturnType<typeof recordViewScript>;
  readonly markItems: ReturnType<typeof markItemsScript>;
  readonly markNotices: ReturnType<typeof markNoticesScript>;
}

function scriptsOf(seen: SeenItemsOptions, retention: MovedRetention, of: SubjectKind): WritingScripts {
  return {
    recordView: recordViewScript(seen, retention, of),
    markItems: markItemsScript(seen, retention, of),
    markNotices: markNoticesScript(retention, of),
  };
}

function readVisit([totalPages, uniquePages, seen, bits, claimed]: [
  number,
  number,
  0 | 1,
  number,
  0 | 1,
]): RecordedVisit {
  return {
    isClaimed: claimed === 1,
    totalPages,
    uniquePages,
    previouslyVisited: seen === 1,
    lastMinutes: [5, 4, 3, 2, 1].map((back) => ((bits >> back) & 1) === 1),
    thisMinute: (bits & 1) === 1,
  };
}
