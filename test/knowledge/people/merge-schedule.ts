import { expect } from 'vitest';
import { type ItemHash, isUnread, Knowledge, MARKS, SEEN_ITEMS_DEFAULTS } from '../../../src/knowledge/index.ts';
import { personOf } from '../../../src/protocol/index.ts';
import { Keys, type RedisConnection } from '../../../src/redis/index.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { TEST_SECRET } from '../../support/use-test-data.ts';
import { FaultyConnection, type Operation, runOperation } from './faulty-connection.ts';
import { type Note, PlainPeople } from './plain-people.ts';

/* merge-schedule.ts: two browsers and two users, of whom each may log in at each browser. A browser is a visitor, with an id
 * that ends with a login and is another one behind a logout; requests of before come late, are sent again, or come with an
 * id that somebody kept. The process that serves them loses commands and answers, and ends after any command. */

/** How a schedule is made. */
export interface ScheduleOptions {
  readonly redis: RedisConnection;
  readonly seed: number;
  readonly exactLimit: number;
  /** Whether persons are erased. */
  readonly erases: boolean;
  readonly steps: number;
  /** Commands in a hundred that are lost, or their answers. */
  readonly faults: number;
  /** Waits until the schedule may go on. With it Redis may be away for a while. Default: it may go on, and Redis is there. */
  readonly gate?: () => Promise<void>;
}

const [PAGES, ITEMS, NOTICES, EVENTS] = [30, 8, 8, 4];
const GROUP = { kind: 'group', name: 'news' } as const;
const ALL_NOTICES = Array.from({ length: NOTICES }, (_, i) => i);
/** Every other notice stands in the group's list; the application keeps the others. */
const [FOREIGN, LISTED] = [ALL_NOTICES.filter((i) => i % 2 === 0), ALL_NOTICES.filter((i) => i % 2 === 1)];
const RETRIES = 200;
const RETRY_MS = 50;

interface Browser {
  visitor: string;
  /** All ids that it has had. */
  readonly visitors: string[];
  /** Who is logged in, by the number of the person. */
  user: number | undefined;
  /** Whether the visitor is still to be merged into the user. */
  isPending: boolean;
}

/** One schedule, and what should be known after each of its steps. */
export class MergeSchedule {
  readonly #options: ScheduleOptions;
  readonly #random: SeededRandom;
  readonly #keys = new Keys('sw');
  readonly #plain = new PlainPeople();
  readonly #clock = { now: Date.UTC(2026, 2, 10, 12) };
  readonly #people: readonly { readonly id: string; readonly name: string }[];
  readonly #browsers: readonly Browser[];
  readonly #erasedAt = new Map<string, string | null>();
  readonly #acknowledged = new Map<string, Set<Note>>();
  readonly #hashes: Readonly<Record<'page' | 'item' | 'event', readonly ItemHash[]>>;
  #visitors = 0;
  #places: Awaited<ReturnType<Knowledge['notices']['lists']['locate']>> = [];
  #faulty!: FaultyConnection;
  #knowledge!: Knowledge;
  /** Another instance, which knows nothing of what the first one is at. */
  #twin!: Knowledge;
  /** How often the process has ended. */
  deaths = 0;

  constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#begin();
    const { items } = this.#knowledge;
    const names = (kind: string, count: number): string[] => Array.from({ length: count }, (_, i) => `/${kind}${i}`);
    this.#hashes = {
      page: items.ofAll('page', names('p', PAGES)),
      item: items.ofAll('item', names('i', ITEMS)),
      event: items.ofAll('event', names('e', EVENTS)),
    };
    this.#people = ['ada', 'bob'].map((user) => {
      const id = personOf(`${user}-${this.#own}`);
      return { id, name: this.#knowledge.read(id).subject };
    });
    this.#browsers = [0, 1].map(() => {
      const visitor = this.#newVisitor();
      return { visitor, visitors: [visitor], user: undefined, isPending: false };
    });
  }

  /** Runs it, and compares what is known with what should be. */
  async run(): Promise<void> {
    const { steps, gate } = this.#options;
    await this.#publish();
    for (let step = 0; step < steps; step += 1) {
      await gate?.();
      this.#clock.now += 1_000 * this.#random.below(90);
      await this.#step();
      await this.#lookAtUnsure();
      if (this.#faulty.isDead) this.#begin();
    }
    await this.#heal();
    await this.#expectAll();
  }

  // No schedule meets what another one has left.
  get #own(): string {
    const { seed, exactLimit, erases } = this.#options;
    return `${exactLimit}-${erases ? 'e' : 'k'}-${seed}`;
  }

  /** Begins a process. */
  #begin(): void {
    if (this.#faulty) this.deaths += 1;
    const late = this.#faulty?.late ?? [];
    this.#faulty = new FaultyConnection(
      this.#options.redis,
      this.#random,
      (script) => this.#plain.ran(script),
      (script) => this.#plain.mayHaveRun(script),
    );
    // What a process has sent may arrive when it has ended.
    this.#faulty.late.push(...late);
    [this.#knowledge, this.#twin] = [this.#open(), this.#open()];
  }

  // Again by each schedule, which changes nothing.
  async #publish(): Promise<void> {
    const { lists } = this.#open(this.#options.redis).notices;
    for (const i of LISTED) await this.#surely(() => lists.publish(GROUP, { id: `n${i}`, text: 'T' }));
    this.#places = await this.#surely(() => lists.locate(LISTED.map((i) => `n${i}`)));
  }

  #open(redis: RedisConnection = this.#faulty.connection): Knowledge {
    return new Knowledge(redis, this.#keys, TEST_SECRET, () => this.#clock.now, {
      seen: { ...SEEN_ITEMS_DEFAULTS, exactLimit: this.#options.exactLimit },
      retireMs: 0,
    });
  }

  #newVisitor(): string {
    this.#visitors += 1;
    return `v${this.#visitors}-${this.#own}`;
  }

  async #step(): Promise<void> {
    const browser = this.#random.pick(this.#browsers);
    const dice = this.#random.below(100);
    if (this.#random.below(100) < 6) this.#faulty.livesFor = 1 + this.#random.below(12);
    this.#faulty.rate = this.#random.below(3) === 0 ? this.#options.faults : 0;
    if (dice < 36) await this.#use(browser);
    else if (dice < 46) await this.#note(this.#random.pick(browser.visitors));
    else if (dice < 58) await this.#logIn(browser);
    else if (dice < 64) this.#logOut(browser);
    else if (dice < 70) await this.#identifyMeanwhile(this.#random.pick(browser.visitors));
    else if (dice < 83) await this.#merging(() => this.#knowledge.people.lookAt(this.#random.pick(browser.visitors)));
    else if (dice < 88) await this.#arriveLate();
    else if (dice < 93 && this.#options.erases) await this.#eraseOrComeBack(this.#random.pick(this.#people).name);
    else await this.#expectAnswers(browser);
    this.#faulty.rate = 0;
  }

  /** A page of the browser: views, marks and, where it is pending, the merge, all at once. */
  async #use(browser: Browser): Promise<void> {
    const person = browser.user === undefined ? undefined : this.#people[browser.user]!.name;
    const subject = person ?? browser.visitor;
    const work = Array.from({ length: 1 + this.#random.below(3) }, () => this.#note(subject));
    if (person !== undefined && browser.isPending) {
      work.push(
        this.#identify(person, browser.visitor).then((isMerged) => {
          if (isMerged) browser.isPending = false;
        }),
      );
      // Requests of before the login are still under way.
      if (this.#random.below(2) === 0) work.push(this.#note(browser.visitor));
    }
    await Promise.all(work);
  }

  async #logIn(browser: Browser): Promise<void> {
    const user = this.#random.below(this.#people.length);
    // Another user at the same browser has nothing of the first one's visitor.
    if (browser.user !== undefined && browser.user !== user) this.#logOut(browser);
    if (browser.user !== undefined) return;
    browser.user = user;
    browser.isPending = !(await this.#identify(this.#people[user]!.name, browser.visitor));
  }

  #logOut(browser: Browser): void {
    browser.user = undefined;
    browser.isPending = false;
    browser.visitor = this.#newVisitor();
    browser.visitors.push(browser.visitor);
  }

  /** Notes something of a subject. Where it is answered, and nothing was lost, it is known from then on. */
  async #note(subject: string): Promise<void> {
    const kinds = ['page', 'page', 'page', 'item', 'notice', 'event'] as const;
    const kind = this.#random.pick(kinds);
    const item = this.#random.below({ page: PAGES, item: ITEMS, notice: NOTICES, event: EVENTS }[kind]);
    const note: Note = { kind, item, minute: Math.floor(this.#clock.now / 60_000), isSure: true };
    const operation: Operation = { faults: 0, note };
    const isAnswered = await this.#try(operation, () => this.#send(subject, note));
    if (!isAnswered || operation.faults > 0) return;
    if (operation.notedFor !== undefined) this.#acknowledge(operation.notedFor, [note]);
  }

  #send(subject: string, { kind, item }: Note): Promise<unknown> {
    const knowledge = this.#random.pick([this.#knowledge, this.#twin]);
    if (kind === 'page') return knowledge.recordView(subject, this.#hashes.page[item]!);
    if (kind === 'event') return knowledge.track(subject, [{ name: this.#hashes.event[item]!, count: 1 }]);
    if (kind === 'item') return knowledge.markItems(subject, [this.#hashes.item[item]!]);
    const { id = subject } = this.#people.find(({ name }) => name === subject) ?? {};
    return knowledge.notices.markIds(knowledge.read(id), [`n${item}`], MARKS.read);
  }

  /** Merges. Returns whether it was answered: then all that was noted before is the person's. */
  async #identify(person: string, session: string): Promise<boolean> {
    const before = [...this.#plain.own(session)];
    const isAnswered = await this.#merging(() => this.#knowledge.people.identify(person, session));
    if (isAnswered) {
      const known = new Set(this.#plain.known(person));
      this.#acknowledge(
        person,
        before.filter((note) => known.has(note)),
      );
    }
    return isAnswered;
  }

  /** Merges an id, which somebody may have kept, while it is used, swept and merged elsewhere. */
  async #identifyMeanwhile(session: string): Promise<void> {
    const person = this.#random.pick(this.#people).name;
    const others = [
      () => this.#note(session),
      () => this.#note(person),
      () => this.#merging(() => this.#twin.people.identify(person, session)),
      () => this.#merging(() => this.#twin.people.lookAt(session)),
    ];
    const work: Promise<unknown>[] = [this.#identify(person, session)];
    for (let i = this.#random.below(4); i > 0; i -= 1) work.push(this.#random.pick(others)());
    await Promise.all(work);
  }

  #merging(work: () => Promise<unknown>): Promise<boolean> {
    return this.#try({ faults: 0 }, work);
  }

  async #try(operation: Operation, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await runOperation(operation, work);
      return true;
    } catch {
      if (this.#options.gate) await this.#pause();
      return false;
    }
  }

  #acknowledge(subject: string, notes: readonly Note[]): void {
    const known = new Set(this.#plain.known(subject));
    const acknowledged = this.#acknowledged.get(subject) ?? new Set();
    // What is not sure may never have reached Redis.
    for (const note of notes) if (note.isSure && known.has(note)) acknowledged.add(note);
    this.#acknowledged.set(subject, acknowledged);
  }

  async #arriveLate(): Promise<void> {
    const { late } = this.#faulty;
    if (late.length === 0) return;
    const [send] = late.splice(this.#random.below(late.length), 1);
    await send!().catch(() => undefined);
    for (const { name } of this.#people) await this.#lookAtErasure(name);
  }

  async #eraseOrComeBack(person: string): Promise<void> {
    if (this.#plain.isErased(person) && this.#random.below(2) === 0) {
      // An hour later.
      if (await this.#surely(() => this.#options.redis.command('DEL', this.#keys.subject(person)))) {
        this.#plain.comeBack(person);
      }
      return;
    }
    await this.#merging(() => this.#knowledge.people.erase(person));
    await this.#lookAtErasure(person);
  }

  /** Asks Redis about those of whom a connection broke. */
  async #lookAtUnsure(): Promise<void> {
    for (const subject of this.#plain.unsure) {
      if (subject.endsWith('_')) await this.#lookAtErasure(subject);
      else await this.#lookAtClaim(subject);
    }
    this.#plain.unsure.clear();
  }

  async #lookAtClaim(session: string): Promise<void> {
    const found = await this.#surely(() =>
      this.#options.redis.command<(string | null)[]>('HMGET', this.#keys.claim(session), 'to', 'at'),
    );
    const [to, at] = found;
    if (to && at) this.#plain.claimed(session, to, at);
    else if (this.#plain.claimOf(session)) this.#plain.retired(session);
  }

  async #lookAtErasure(person: string): Promise<void> {
    const at = await this.#surely(() => this.#options.redis.command<string | null>('GET', this.#keys.erased(person)));
    if (at === (this.#erasedAt.get(person) ?? null)) return;
    this.#erasedAt.set(person, at);
    this.#plain.erase(person);
    this.#acknowledged.delete(person);
  }

  /** Does it until it is done: Redis may be away for a while. */
  async #surely<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (tries === RETRIES) throw error;
        await this.#pause();
      }
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, RETRY_MS);
    });
  }

  /** Ends all faults, and lets the sweep do what is due. */
  async #heal(): Promise<void> {
    this.#faulty.livesFor = Number.POSITIVE_INFINITY;
    for (const session of this.#sessions) {
      await this.#options.gate?.();
      await this.#surely(() => runOperation({ faults: 0 }, () => this.#knowledge.people.lookAt(session)));
      await this.#lookAtUnsure();
    }
  }

  get #sessions(): string[] {
    return this.#browsers.flatMap(({ visitors }) => visitors);
  }

  async #expectAnswers(browser: Browser): Promise<void> {
    this.#faulty.livesFor = Number.POSITIVE_INFINITY;
    this.#faulty.rate = 0;
    const person = this.#random.pick(this.#people);
    const session = this.#random.pick(browser.visitors);
    const [ofPerson, ofSession] = [await this.#seenBy(person.id), await this.#seenBy(session)];
    if (!ofPerson || !ofSession) return;
    // Never a false "unseen".
    for (const { kind, item } of this.#acknowledged.get(person.name) ?? []) {
      expect(ofPerson[kind], this.#say(person.name, `${kind} ${item} is known`)).toContain(item);
    }
    this.#expectWithin(person.name, ofPerson, this.#plain.known(person.name));
    // A session knows what was noted of it, and nothing of a person's.
    this.#expectWithin(session, ofSession, this.#plain.own(session));
  }

  #expectWithin(subject: string, seen: Seen, notes: readonly Note[]): void {
    // A filter says of some that they were seen.
    if (this.#options.exactLimit < PAGES) return;
    for (const kind of ['page', 'item', 'notice', 'event'] as const) {
      const known = itemsOf(notes, kind);
      expect(
        seen[kind].filter((item) => !known.has(item)),
        this.#say(subject, `no ${kind} of others`),
      ).toEqual([]);
    }
  }

  async #seenBy(id: string): Promise<Seen | undefined> {
    const { knowledge } = { knowledge: this.#knowledge };
    const reading = knowledge.read(id);
    try {
      const page = await reading.hasSeen('page', this.#hashes.page);
      const item = await reading.hasSeen('item', this.#hashes.item);
      const isForeign = await knowledge.notices.states.hasForeign(
        reading,
        FOREIGN.map((i) => `n${i}`),
      );
      const states = await knowledge.notices.statesOf(reading, this.#places);
      const notice = [...FOREIGN.filter((_, i) => isForeign[i]), ...LISTED.filter((_, i) => !isUnread(states[i]!))];
      const facts = await reading.facts();
      const events = this.#hashes.event.map((event) => facts.get(event)?.count ?? 0);
      const visit = await reading.visit(this.#clock.now);
      return {
        page: indexesOf(page),
        item: indexesOf(item),
        notice,
        event: indexesOf(events.map(Boolean)),
        events,
        visit,
      };
    } catch (error) {
      if (this.#options.gate) return undefined;
      throw error;
    }
  }

  async #expectAll(): Promise<void> {
    for (const { id, name } of this.#people) await this.#expectKnown(id, name);
    for (const session of this.#sessions) {
      await this.#options.gate?.();
      const claim = this.#plain.claimOf(session);
      if (!claim) await this.#expectKnown(session, session);
      else if (claim.isVoid) {
        const left = await this.#surely(() => this.#options.redis.command('EXISTS', this.#keys.subject(session)));
        expect(left, this.#say(session, 'nothing is left')).toBe(0);
      }
    }
  }

  /** All that is known of a subject is what should be: exactly, but for what nobody can be sure of. */
  async #expectKnown(id: string, name: string): Promise<void> {
    const seen = (await this.#surely(async () => (await this.#seenBy(id)) ?? Promise.reject(new Error('away'))))!;
    const notes = this.#plain.isErased(name) ? [] : this.#plain.known(name);
    const sure = notes.filter(({ isSure }) => isSure);
    for (const kind of ['page', 'item', 'notice', 'event'] as const) {
      const [least, most] = [itemsOf(sure, kind), itemsOf(notes, kind)];
      expect(seen[kind], this.#say(name, `each ${kind}`)).toEqual(expect.arrayContaining([...least]));
      if (this.#options.exactLimit >= PAGES) {
        expect(
          seen[kind].filter((item) => !most.has(item)),
          this.#say(name, `no other ${kind}`),
        ).toEqual([]);
      }
    }
    const timesOf = (some: readonly Note[], event: number): number =>
      some.filter(({ kind, item }) => kind === 'event' && item === event).length;
    for (const [event, count] of seen.events.entries()) {
      expect(count, this.#say(name, `event ${event}`)).toBeGreaterThanOrEqual(timesOf(sure, event));
      expect(count, this.#say(name, `event ${event}`)).toBeLessThanOrEqual(timesOf(notes, event));
    }
    const [views, leastViews] = [notes, sure].map((some) => some.filter(({ kind }) => kind === 'page')) as [
      Note[],
      Note[],
    ];
    expect(seen.visit.totalPages, this.#say(name, 'views')).toBeGreaterThanOrEqual(leastViews.length);
    expect(seen.visit.totalPages, this.#say(name, 'views')).toBeLessThanOrEqual(views.length);
    const minutesOf = (some: readonly Note[]): number => new Set(some.map(({ minute }) => minute)).size;
    expect(seen.visit.activeMinutes, this.#say(name, 'minutes')).toBeGreaterThanOrEqual(minutesOf(leastViews));
    expect(seen.visit.activeMinutes, this.#say(name, 'minutes')).toBeLessThanOrEqual(minutesOf(views));
    if (this.#options.exactLimit >= PAGES && views.length === leastViews.length) {
      expect(seen.visit.uniquePages, this.#say(name, 'pages')).toBe(itemsOf(views, 'page').size);
    }
  }

  #say(subject: string, what: string): string {
    return `schedule ${this.#own}: ${subject}: ${what}`;
  }
}

interface Seen {
  readonly page: readonly number[];
  readonly item: readonly number[];
  readonly notice: readonly number[];
  readonly event: readonly number[];
  /** How often each event happened. */
  readonly events: readonly number[];
  readonly visit: { readonly totalPages: number; readonly uniquePages: number; readonly activeMinutes: number };
}

function itemsOf(notes: readonly Note[], kind: Note['kind']): Set<number> {
  return new Set(notes.filter((note) => note.kind === kind).map(({ item }) => item));
}

function indexesOf(isSeen: readonly boolean[]): number[] {
  return isSeen.flatMap((seen, i) => (seen ? [i] : []));
}
