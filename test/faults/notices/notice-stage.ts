import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { type CommandMap, type CommandName, type Notice, personOf, sessionOf } from '../../../src/index.ts';
import { NoticesModel, type Published, type Shown } from '../../knowledge/notices/notices-model.ts';
import type { SeededRandom } from '../../support/seeded-random.ts';
import { type Claim, KeyedLocks } from './keyed-locks.ts';
import type { Answered, NoticeSite } from './notice-site.ts';

/* notice-stage.ts: a site, a plain model beside it, and what can be said of the one by the other while much is going on. */

export const GROUPS = ['news', 'team', 'late'] as const;
export const SEGMENT = 'buyers';
export const LISTS: readonly string[] = [...GROUPS, SEGMENT];
export const IDS: readonly string[] = Array.from({ length: 14 }, (_, i) => `n${i}`);
export const PEOPLE: readonly string[] = ['ada', 'bob'].map((user) => personOf(user));
/** Whoever has seen both is a buyer. */
export const PAGES: readonly string[] = ['/a', '/b'];
/** Some session: commands about lists are asked by it. */
export const ANY: string = sessionOf('any');
/** By so much the clock of a service may differ on a machine that is busy, in milliseconds. */
export const DOUBT_MS = 250;
const WORLD = 'the world';
const SESSIONS = 4;

/** A notice before it is published. */
export interface NewNotice {
  readonly id: string;
  readonly text: string;
  readonly publishAt?: number;
  readonly expiresAt?: number;
}

/** What a subject was shown, without what was changed meanwhile. */
export interface Observed {
  readonly shown: Shown['notices'];
  readonly doubtful: ReadonlySet<string>;
  readonly now: number;
}

/** The name under which a notice's id is held. */
export function lockOf(id: string): string {
  return `notice ${id}`;
}

/** A site, and the model of it. */
export class NoticeStage {
  readonly model: NoticesModel = new NoticesModel();
  readonly random: SeededRandom;
  /** Those who look, and what they have seen of the pages. */
  readonly subjects = new Map<string, Set<string>>();
  readonly #site: NoticeSite;
  readonly #locks = new KeyedLocks();
  readonly #changing = new Map<string, number>();
  readonly #changedAt = new Map<string, number>();
  readonly #scheduled = new Set<string>();
  readonly #told: string[] = [];
  #made = 0;

  constructor(site: NoticeSite, random: SeededRandom) {
    this.#site = site;
    this.random = random;
    for (const name of [...PEOPLE, ...Array.from({ length: SESSIONS }, () => this.#newSession())]) {
      this.subjects.set(name, new Set());
    }
  }

  /** Asks by one of the devices. */
  async ask<C extends CommandName>(
    command: C,
    session: string,
    payload: CommandMap[C]['payload'],
    isOver?: () => boolean,
  ): Promise<Answered<CommandMap[C]['reply']>> {
    const from = Date.now();
    const answer = await this.#site.ask(this.random.below(3), command, session, payload, isOver);
    const told = `${from} to ${Date.now()} ${command} ${session} ${JSON.stringify(payload)}: ${JSON.stringify(answer)}`;
    this.#told.push(told.slice(0, 2_000));
    return answer;
  }

  /** What was asked and answered of some notices, for a failed test. */
  story(names: readonly string[]): string {
    const isOf = (told: string): boolean =>
      names.some(
        (name) =>
          told.includes(`"${name}"`) ||
          told.includes('set-group') ||
          told.includes(' identify ') ||
          told.includes(' mute-groups '),
      );
    return this.#told.filter(isOf).slice(-80).join('\n');
  }

  /** Does something that concerns these notices and subjects, beside all that does not. Nothing is done where one of the
   *  subjects is gone by then. */
  holding<Result>(claim: Claim, work: () => Promise<Result>): Promise<Result | undefined> {
    const { shared = [], exclusive = [] } = claim;
    return this.#locks.hold({ shared: [WORLD, ...shared], exclusive }, async () =>
      [...shared, ...exclusive].every((name) => name.startsWith('notice ') || this.subjects.has(name))
        ? work()
        : undefined,
    );
  }

  /** Does something while nothing else is done. */
  alone<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#locks.hold({ exclusive: [WORLD] }, work);
  }

  /** Changes a notice; what is shown of it meanwhile is not judged. */
  async writing(id: string, subjects: readonly string[], work: () => Promise<void>): Promise<void> {
    await this.holding({ exclusive: [lockOf(id), ...subjects] }, async () => {
      this.#changing.set(id, (this.#changing.get(id) ?? 0) + 1);
      try {
        await work();
      } finally {
        this.#changing.set(id, this.#changing.get(id)! - 1);
        this.#changedAt.set(id, Date.now());
      }
    });
  }

  /** A notice of an id; some begin later, some end. */
  newNotice(id: string): NewNotice {
    this.#made += 1;
    const now = Date.now();
    const publishAt = this.random.next() < 0.2 ? now + 100 + this.random.below(3_000) : undefined;
    const expiresAt = this.random.next() < 0.25 ? (publishAt ?? now) + 1_000 + this.random.below(4_000) : undefined;
    return { id, text: `text ${this.#made}`, ...(publishAt && { publishAt }), ...(expiresAt && { expiresAt }) };
  }

  /** Publishes, until it is answered or the notice has expired. */
  publish(list: string, notice: NewNotice): Promise<Answered<CommandMap['publish-notice']['reply']>> {
    const { expiresAt = Number.POSITIVE_INFINITY } = notice;
    return this.ask('publish-notice', ANY, { to: audienceOf(list), ...notice }, () => Date.now() >= expiresAt);
  }

  /** Notes in the model what became of a publish. */
  async notePublished(
    list: string,
    notice: NewNotice,
    { reply, isRepeated }: Answered<CommandMap['publish-notice']['reply']>,
  ): Promise<void> {
    const { id, text, publishAt, expiresAt = 0 } = notice;
    const isKnown = this.model.notices(list).some((known) => known.id === id);
    if (reply && !isRepeated) expect(reply.isNew, `${id} is new in ${list}`).toBe(!isKnown);
    if (isKnown) return;
    // It has expired before an answer came: done, or not.
    const at = reply?.at ?? (await this.listed(list)).find((one) => one.id === id)?.at;
    if (at === undefined) return;
    if (publishAt !== undefined) this.#scheduled.add(`${id} ${at}`);
    this.model.publish(list, id, text, at, expiresAt);
  }

  /** What a list holds, by the site, in the order of the ids. */
  async listed(list: string): Promise<Omit<Published, 'key'>[]> {
    const { reply } = await this.ask('list-notices', ANY, { of: audienceOf(list), limit: 1_000 });
    return inOrder(reply!);
  }

  /** The same by the model. */
  held(list: string): Omit<Published, 'key'>[] {
    return inOrder(this.model.notices(list));
  }

  /** What the model shows to a subject. */
  view(name: string, groups: readonly string[], now: number, model: NoticesModel = this.model): Shown {
    return model.view(name, this.listsOf(name, groups), now);
  }

  /** The lists that a subject of these groups sees. */
  listsOf(name: string, groups: readonly string[]): string[] {
    return this.subjects.get(name)!.size === PAGES.length ? [...groups, SEGMENT] : [...groups];
  }

  /** Whether the look of a subject at groups decides what it will see of them. */
  isMeeting(name: string, groups: readonly string[]): boolean {
    return groups.some((group) => this.model.isMeeting(name, group));
  }

  /** Looks as a subject. */
  async observe(name: string, groups: readonly string[]): Promise<Observed> {
    const now = Date.now();
    const { reply } = await this.ask('notices', name, { groups, limit: 1_000 });
    const { notices, unseen, unread } = reply!;
    // Whatever happens meanwhile, an answer fits to itself.
    expect([unseen, unread], `counts of the answer to ${name}`).toEqual([
      notices.filter(({ seen }) => !seen).length,
      notices.filter(({ read }) => !read).length,
    ]);
    const doubtful = this.inDoubt(now);
    for (const [id, at] of this.#changedAt) if (at >= now) doubtful.add(id);
    for (const [id, count] of this.#changing) if (count > 0) doubtful.add(id);
    const shown = notices.map(({ id, text, seen, read }) => ({ id, text, seen, read }));
    return { shown: shown.filter(({ id }) => !doubtful.has(id)), doubtful, now };
  }

  /** What must have been observed, by the model. */
  expected(
    name: string,
    groups: readonly string[],
    { doubtful, now }: Observed,
    model?: NoticesModel,
  ): Shown['notices'] {
    return this.view(name, groups, now, model).notices.filter(({ id }) => !doubtful.has(id));
  }

  /** Looks as a subject, and compares. */
  async compareView(name: string, groups: readonly string[], when: string): Promise<void> {
    const seen = await this.observe(name, groups);
    const expected = this.expected(name, groups, seen);
    const differ = [...seen.shown, ...expected].filter(
      (one) => ![seen.shown, expected].every((all) => all.some((other) => isDeepStrictEqual(one, other))),
    );
    const story = differ.length > 0 ? this.story(differ.map(({ id }) => id)) : '';
    expect(seen.shown, `${name} looks at ${groups} ${when}\n${story}`).toEqual(expected);
  }

  /** The ids of what has begun or ended to be shown since a time, or does so now. */
  inDoubt(since: number = Date.now()): Set<string> {
    const isNear = (time: number): boolean => time > since - DOUBT_MS && time < Date.now() + DOUBT_MS;
    const lists = [...LISTS, ...[...this.subjects.keys()].map((name) => `own ${name}`)];
    const near = lists
      .flatMap((list) => this.model.notices(list))
      .filter(({ id, at, expiresAt }) => isNear(expiresAt) || (isNear(at) && this.#scheduled.has(`${id} ${at}`)));
    return new Set(near.map(({ id }) => id));
  }

  /** Notes that a session is a person's; another one comes in its place. */
  retire(session: string, person: string): void {
    for (const page of this.subjects.get(session)!) this.subjects.get(person)!.add(page);
    this.subjects.delete(session);
    this.subjects.set(this.#newSession(), new Set());
  }

  /** Some of many, at most `most`, at least `least`. */
  some<Value>(values: readonly Value[], most: number, least = 1): Value[] {
    const left = [...values];
    const count = least + this.random.below(most - least + 1);
    return Array.from({ length: count }, () => left.splice(this.random.below(left.length), 1)[0]!);
  }

  /** A person or a session. */
  anybody(): string {
    return this.random.pick([...this.subjects.keys()]);
  }

  sessions(): string[] {
    return [...this.subjects.keys()].filter((name) => !PEOPLE.includes(name));
  }

  #newSession(): string {
    this.#made += 1;
    return sessionOf(`session ${this.#made}`);
  }
}

function audienceOf(list: string): CommandMap['publish-notice']['payload']['to'] {
  if (list.startsWith('own ')) return { subject: list.slice(4) };
  return list === SEGMENT ? { segment: list } : { group: list };
}

function inOrder(notices: readonly (Notice | Published)[]): Omit<Published, 'key'>[] {
  return notices
    .map(({ id, text, at, expiresAt = 0 }) => ({ id: String(id), text, at, expiresAt }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}
