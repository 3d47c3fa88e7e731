import { isPerson } from '../protocol/index.ts';
import type { Apply, Clock, Keys, RedisConnection, Step } from '../redis/index.ts';
import { trackScript } from './facts/track-script.ts';
import { ItemEncryption } from './item-encryption.ts';
import { type ItemHash, ItemHasher } from './item-hash.ts';
import { AddressedNotices } from './notices/addressed-notices.ts';
import { NoticeEvents } from './notices/notice-events.ts';
import { NoticeLists } from './notices/notice-lists.ts';
import { NoticeReach } from './notices/notice-reach.ts';
import { SubjectNotices } from './notices/subject-notices.ts';
import { SubjectStates } from './notices/subject-states.ts';
import { PendingWrites } from './pending-writes.ts';
import { besideHas, countBeside } from './people/beside-filters.ts';
import { People } from './people/people.ts';
import { SubjectNames } from './people/subject-names.ts';
import { RecordReads } from './record-reads.ts';
import {
  type MovedRetention,
  PERSON_RETENTION,
  RETENTION_DEFAULTS,
  type Retention,
  type SubjectKind,
} from './retention.ts';
import { RuleCounts } from './rules/rule-counts.ts';
import { markItemsScript } from './scripts/mark-items.ts';
import { recordViewScript } from './scripts/record-view.ts';
import { SeenFilter } from './seen-filter.ts';
import { SEEN_ITEMS_DEFAULTS, type SeenItemsOptions } from './seen-items-options.ts';
import { SiteMinutes } from './site/site-minutes.ts';
import { type ReadingContext, SubjectReading } from './subject-reading.ts';
import { SubjectWrites } from './subject-writes.ts';
import type { RecordedView, RecordedVisit } from './visit.ts';

/** How knowledge is kept; every part has its default. */
export interface KnowledgeOptions {
  readonly seen?: SeenItemsOptions;
  readonly retention?: Retention;
  /** Asks for the time, in milliseconds of the epoch, by the clock of the server that holds a key. Default: `clock`. */
  readonly timeAt?: (key: string) => Promise<number>;
  /** How long after its claim a session is still looked after, in milliseconds. Default 60,000. */
  readonly retireMs?: number;
}

/** Details of a view. */
export interface ViewDetails {
  /** When it was, in milliseconds of the epoch. Default: now, by Redis's clock. */
  readonly at?: number | undefined;
  /** The clusters of the page. Default: none. */
  readonly clusters?: readonly ItemHash[];
}

/** Something that happened. */
export interface Happened {
  /** The hash of an event. */
  readonly name: ItemHash;
  /** How often: a whole number from 1 on. */
  readonly count: number;
}

/** Details of what happened. */
export interface TrackDetails {
  /** When it was, in milliseconds of the epoch. Default: now, by Redis's clock. */
  readonly at?: number | undefined;
  /** Whether it is dropped behind all others, where there are too many facts. Default false. */
  readonly keeps?: boolean;
}

/** All that is known of the subjects of one namespace: what they saw, when, how often, and which notices they read. */
export class Knowledge {
  /** Hashes items. Every method takes hashes of items. */
  readonly items: ItemHasher;
  /** What subjects are shown of notices, and did with them. */
  readonly notices: SubjectNotices;
  /** Writes notices, and lists them. */
  readonly addressed: AddressedNotices;
  /** What is counted of rules, of all subjects. */
  readonly ruleCounts: RuleCounts;
  /** What happens on the whole site, minute by minute. */
  readonly site: SiteMinutes;
  readonly now: Clock;
  readonly #context: ReadingContext;
  /** Merges what is known of sessions into what is known of persons. */
  readonly people: People;
  readonly #names: SubjectNames;
  readonly #writes: SubjectWrites;
  readonly #ofSessions: WritingScripts;
  readonly #ofPeople: WritingScripts;

  /** @throws RangeError for a secret or options that cannot be used. */
  constructor(redis: RedisConnection, keys: Keys, secret: string, clock: Clock, options: KnowledgeOptions = {}) {
    const { seen = SEEN_ITEMS_DEFAULTS, retention = RETENTION_DEFAULTS } = options;
    const encryption = new ItemEncryption(secret, keys.namespace);
    this.items = new ItemHasher(secret, keys.namespace);
    this.now = clock;
    this.ruleCounts = new RuleCounts(redis, keys, this.items, secret, clock);
    this.site = new SiteMinutes(redis, keys, this.items, secret, clock);
    const writes = new PendingWrites();
    const records = new RecordReads(redis, keys);
    this.#context = { redis, keys, records, encryption, writes, filter: new SeenFilter(redis, seen.engine, seen) };
    const states = new SubjectStates(this.#context, this.items);
    this.#names = new SubjectNames(secret, keys.namespace);
    this.#ofSessions = scriptsOf(seen, retention, 'session');
    this.#ofPeople = scriptsOf(seen, PERSON_RETENTION, 'person');
    this.people = new People(this.#context, states, clock, secret, {
      seen,
      seconds: PERSON_RETENTION.seconds,
      ...(options.retireMs !== undefined && { retireMs: options.retireMs }),
    });
    this.#writes = new SubjectWrites(this.#context, clock, (subject) => this.people.mergeLate(subject));
    const events = new NoticeEvents(redis, keys, secret);
    this.notices = new SubjectNotices(this.#context, {
      items: this.items,
      lists: new NoticeLists(redis, keys, this.items, events),
      events,
      states,
      reach: new NoticeReach(this.#context, this.items, secret, clock),
      writes: this.#writes,
      now: clock,
      timeAt: options.timeAt,
      retention: { session: retention, person: PERSON_RETENTION },
    });
    this.addressed = new AddressedNotices(this.notices, (name) => this.read(name));
  }

  /** Begins a reading of a session or a person: it reads when it is asked first, and answers as of then. Its `subject` is
   *  the name that all other methods take. */
  read(session: string): SubjectReading {
    return new SubjectReading(this.#names.of(session), this.#context, session);
  }

  /** As `read`, of the name of a subject. */
  readAgain(subject: string): SubjectReading {
    return new SubjectReading(subject, this.#context);
  }

  /** Records a view of a page. `apply`: does the step; default by itself. Returns the visit as it was before, but for the two counts. */
  async recordView(
    subject: string,
    page: ItemHash,
    { at, clusters = [] }: ViewDetails = {},
    apply: Apply = this.#writes.apply,
  ): Promise<RecordedView> {
    const recording = this.#recordingView(subject, [page, ...clusters], at);
    const { isClaimed, ...visit } = await this.#writes.write(subject, recording, apply);
    if (!isClaimed) return visit;
    if (isPerson(subject)) return this.#withBeside(subject, page, visit);
    await this.#writes.mergeLate(subject);
    return visit;
  }

  /** Notes that a subject is active in this minute (`at`: in that one), without a view. Where it had no view yet, nothing is
   *  noted. `apply`: does the step; default by itself. Whether it is noted. */
  async recordActive(subject: string, at?: number, apply: Apply = this.#writes.apply): Promise<boolean> {
    const recording = this.#recordingView(subject, [], at);
    const { isClaimed, totalPages } = await this.#writes.write(subject, recording, apply);
    if (isClaimed && !isPerson(subject)) await this.#writes.mergeLate(subject);
    return totalPages > 0;
  }

  /** Marks items as seen. `apply`: does the step; default by itself. Returns, per item, whether it had been seen before. A
   *  false "seen" happens at the configured rate and only in the large form, a false "unseen" never. */
  async markItems(subject: string, items: readonly ItemHash[], apply: Apply = this.#writes.apply): Promise<boolean[]> {
    if (items.length === 0) return [];
    const { seen, isClaimed } = await this.#writes.write(subject, this.#markingItems(subject, items), apply);
    if (!isClaimed) return seen;
    if (isPerson(subject)) {
      const beside = await besideHas(this.#context, subject, 'item', items);
      return seen.map((each, i) => each || beside[i]!);
    }
    await this.#writes.mergeLate(subject);
    return seen;
  }

  // A person with filters of sessions beside its own record.
  async #withBeside(person: string, page: ItemHash, visit: RecordedView): Promise<RecordedView> {
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

  /** Notes that something happened. `apply`: does the step; default by itself. Returns how often each of it happened in
   *  all, and how many facts that happened longest ago were dropped for it. */
  async track(
    subject: string,
    happened: readonly Happened[],
    { at, keeps = false }: TrackDetails = {},
    apply: Apply = this.#writes.apply,
  ): Promise<{ readonly counts: readonly number[]; readonly dropped: number }> {
    const tracking = this.#tracking(subject, happened, { at, keeps });
    const { isClaimed, ...noted } = await this.#writes.write(subject, tracking, apply);
    if (isClaimed && !isPerson(subject)) await this.#writes.mergeLate(subject);
    return noted;
  }

  // A page and its clusters. Without a page it is no view, but the minute alone.
  async #recordingView(
    subject: string,
    viewed: readonly ItemHash[],
    at: number | undefined,
  ): Promise<Step<RecordedVisit>> {
    const [page = '', ...clusters] = await this.#context.encryption.encrypt(subject, viewed);
    const now = this.#writes.seconds();
    const args = { page, at: at === undefined ? now : Math.floor(at / 1_000), now };
    const rest = clusters.length === 0 ? undefined : { args: clusters.flatMap((cluster) => [cluster, '1']) };
    return this.#scriptsOf(subject).recordView.step(this.#writes.keysOf(subject, {}), args, readVisit, rest);
  }

  async #tracking(
    subject: string,
    happened: readonly Happened[],
    { at, keeps }: { readonly at: number | undefined; readonly keeps: boolean },
  ): Promise<Step<{ counts: number[]; dropped: number; isClaimed: boolean }>> {
    const names = await this.#context.encryption.encrypt(
      subject,
      happened.map(({ name }) => name),
    );
    const now = this.#writes.seconds();
    const args = { at: at === undefined ? now : Math.floor(at / 1_000), now, keeps };
    const read = ([dropped, claimed, ...counts]: [number, 0 | 1, ...number[]]) => ({
      counts: happened.map((_, i) => counts[i] ?? 0),
      dropped,
      isClaimed: claimed === 1,
    });
    const rest = { args: names.flatMap((name, i) => [name, String(happened[i]!.count)]) };
    return this.#scriptsOf(subject).track.step(this.#writes.keysOf(subject, {}), args, read, rest);
  }

  async #markingItems(
    subject: string,
    items: readonly ItemHash[],
  ): Promise<Step<{ seen: boolean[]; isClaimed: boolean }>> {
    const encrypted = await this.#context.encryption.encrypt(subject, items);
    const args = { now: this.#writes.seconds() };
    const read = (answers: number[]): { seen: boolean[]; isClaimed: boolean } => ({
      seen: items.map((_, i) => answers[i] === 1),
      isClaimed: answers.length > items.length,
    });
    return this.#scriptsOf(subject).markItems.step(this.#writes.keysOf(subject, {}), args, read, { args: encrypted });
  }
}

interface WritingScripts {
  readonly recordView: ReturnType<typeof recordViewScript>;
  readonly markItems: ReturnType<typeof markItemsScript>;
  readonly track: ReturnType<typeof trackScript>;
}

function scriptsOf(seen: SeenItemsOptions, retention: MovedRetention, of: SubjectKind): WritingScripts {
  return {
    recordView: recordViewScript(seen, retention, of),
    markItems: markItemsScript(seen, retention, of),
    track: trackScript(retention, of),
  };
}

function readVisit([totalPages, uniquePages, seen, bits, claimed, ...clusterCounts]: [
  number,
  number,
  0 | 1,
  number,
  0 | 1,
  ...number[],
]): RecordedVisit {
  return {
    isClaimed: claimed === 1,
    totalPages,
    uniquePages,
    previouslyVisited: seen === 1,
    lastMinutes: [5, 4, 3, 2, 1].map((back) => ((bits >> back) & 1) === 1),
    thisMinute: (bits & 1) === 1,
    clusterCounts,
  };
}
