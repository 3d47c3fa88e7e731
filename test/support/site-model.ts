import type { SeededRandom } from './seeded-random.ts';

const MINUTE_MS = 60_000;

/** Something that a visitor does: a view, or a sign of activity without one. */
export interface SiteEvent {
  readonly at: number;
  readonly subject: string;
  /** Undefined: activity. */
  readonly page: string | undefined;
}

/** What the site should tell, counted exactly by hand. */
export class SiteModel {
  readonly #visits = new Map<string, { views: number; minutes: Set<number> }>();
  readonly #events: (SiteEvent & { readonly isFresh: boolean; readonly isBack: boolean })[] = [];

  /** Notes what happened, in the order of time. */
  note(event: SiteEvent): void {
    const minute = minuteOf(event.at);
    const visit = this.#visits.get(event.subject) ?? { views: 0, minutes: new Set() };
    this.#visits.set(event.subject, visit);
    const isView = event.page !== undefined;
    // Activity belongs to a visit.
    if (!isView && visit.views === 0) return;
    const isQuiet = [0, 1, 2, 3, 4, 5].every((back) => !visit.minutes.has(minute - back));
    this.#events.push({ ...event, isFresh: isView && visit.views === 0, isBack: isView && visit.views > 0 && isQuiet });
    if (isView) visit.views += 1;
    visit.minutes.add(minute);
  }

  /** Views of each of the last 60 minutes, the present one at the end. */
  views(now: number): number[] {
    return Array.from({ length: 60 }, (_, i) => this.#of(now, 59 - i, 59 - i).filter(isView).length);
  }

  /** Exact figures of the present minute and of `minutes` before it. `isPerson`: who is one. */
  time(now: number, minutes: number, isPerson: (subject: string) => boolean) {
    const events = this.#of(now, minutes, 0);
    const subjects = [...new Set(events.map(({ subject }) => subject))];
    return {
      visitors: subjects.length,
      persons: subjects.filter(isPerson).length,
      views: events.filter(isView).length,
      fresh: events.filter(({ isFresh }) => isFresh).length,
      back: events.filter(({ isBack }) => isBack).length,
    };
  }

  /** Views of the last half hour, by names: each with what tells whether a page has it. */
  names(now: number, names: Readonly<Record<string, (page: string) => boolean>>): Record<string, number> {
    const views = this.#of(now, 30, 0).flatMap(({ page }) => (page === undefined ? [] : [page]));
    return Object.fromEntries(Object.entries(names).map(([name, has]) => [name, views.filter(has).length]));
  }

  #of(now: number, from: number, to: number) {
    const minute = minuteOf(now);
    return this.#events.filter(({ at }) => minuteOf(at) >= minute - from && minuteOf(at) <= minute - to);
  }
}

/** Makes a random run of `count` events of `subjects` from `from` on, `stepMs` apart on average. */
export function* siteEvents(
  random: SeededRandom,
  {
    from,
    count,
    stepMs,
    subjects,
    pages,
  }: {
    readonly from: number;
    readonly count: number;
    readonly stepMs: number;
    readonly subjects: readonly string[];
    readonly pages: readonly string[];
  },
): Generator<SiteEvent> {
  let at = from;
  for (let i = 0; i < count; i += 1) {
    at += random.below(2 * stepMs);
    // Who is there changes with time, so that some are away for long.
    const first = Math.floor((i / count) * subjects.length * 0.7);
    const subject = subjects[(first + random.below(Math.ceil(subjects.length * 0.3))) % subjects.length]!;
    yield { at, subject, page: random.next() < 0.15 ? undefined : random.pick(pages) };
  }
}

function isView({ page }: SiteEvent): boolean {
  return page !== undefined;
}

function minuteOf(at: number): number {
  return Math.floor(at / MINUTE_MS);
}
