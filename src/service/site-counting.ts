import type { ItemHash, PairName, SiteMinutes, SiteName } from '../knowledge/index.ts';
import type { Log } from './log.ts';
import { LogThrottle } from './log-throttle.ts';
import { PeriodicWrites } from './periodic-writes.ts';
import type { ActiveRules } from './rules/active-rules.ts';

/* site-counting.ts: counts what happens on the whole site, for the dashboard. No request waits for it, and Redis is asked no
 * oftener because there are more views: what was noted here is written once a second, where there is something, and lost
 * with the process: these are statistics. */

/** How often counts are written, in milliseconds. */
export const SITE_INTERVAL_MS = 1_000;
/** So many visitors wait to be written at most; further ones are noted when they come again. */
const MOST_WAITING = 20_000;
/** So many are remembered as noted in this minute; of more, some are written twice, which changes no count. */
const MOST_REMEMBERED = 100_000;
/** What could not be written for so long is no longer told. */
const MOST_MINUTES = 60;
const FAILURE_LOG_INTERVAL_MS = 60_000;

/** A view that was recorded. */
export interface CountedView {
  readonly page: ItemHash;
  /** The clusters of the page. */
  readonly clusters: readonly ItemHash[];
  /** Whether it is the visitor's first. */
  readonly isFresh: boolean;
  /** Whether the visitor was away for more than five minutes. */
  readonly isBack: boolean;
}

/** Parts that counting needs. */
export interface SiteCountingContext {
  readonly site: SiteMinutes;
  readonly rules: ActiveRules;
  /** Names that the site registered; views of its pages are counted one by one. */
  readonly names: readonly PairName[];
  readonly log: Log;
  isEnabled(): boolean;
}

interface MinuteNotes {
  views: number;
  fresh: number;
  back: number;
  robots: number;
  readonly pages: Map<string, number>;
  readonly subjects: string[];
}

/** Counts views, visitors and robots of the site by minutes. */
export class SiteCounting {
  readonly #context: SiteCountingContext;
  readonly #failures = new LogThrottle(FAILURE_LOG_INTERVAL_MS);
  readonly #writes = new PeriodicWrites(() => this.#write(), SITE_INTERVAL_MS);
  readonly #pages: ReadonlyMap<ItemHash, string>;
  #notes = new Map<number, MinuteNotes>();
  #waiting = 0;
  // Of this minute.
  #minute = 0;
  #remembered = new Set<string>();
  // The rules whose clusters were named in Redis.
  #named: unknown;

  constructor(context: SiteCountingContext) {
    this.#context = context;
    const pages = context.names.filter(({ kind }) => kind === 'page');
    this.#pages = new Map(pages.map(({ hash }) => [hash, context.site.fieldOf('page', hash)]));
  }

  /** Notes a view. */
  viewed(subject: string, { page, clusters, isFresh, isBack }: CountedView): void {
    const notes = this.#note();
    notes.views += 1;
    if (isFresh) notes.fresh += 1;
    if (isBack) notes.back += 1;
    const field = this.#pages.get(page);
    if (field !== undefined) addTo(notes.pages, field);
    for (const cluster of clusters) addTo(notes.pages, this.#context.site.fieldOf('cluster', cluster));
    this.#present(notes, subject);
  }

  /** Notes that a visitor is there, without a view. */
  active(subject: string): void {
    this.#present(this.#note(), subject);
  }

  /** Notes requests of robots. */
  refused(robots: number): void {
    this.#note().robots += robots;
  }

  /** Starts. Its timer does not keep the process alive. */
  start(): void {
    this.#writes.start();
  }

  /** Writes what was noted, for at most `deadlineMs` milliseconds, and stops. */
  stop(deadlineMs: number): Promise<void> {
    return this.#writes.stop(deadlineMs);
  }

  #note(): MinuteNotes {
    const minute = this.#context.site.thisMinute();
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#remembered = new Set();
    }
    let notes = this.#notes.get(minute);
    if (!notes) {
      notes = { views: 0, fresh: 0, back: 0, robots: 0, pages: new Map(), subjects: [] };
      this.#notes.set(minute, notes);
      // While Redis is away.
      for (const before of this.#notes.keys()) {
        if (before <= minute - MOST_MINUTES) this.#notes.delete(before);
      }
    }
    return notes;
  }

  #present({ subjects }: MinuteNotes, subject: string): void {
    if (this.#waiting >= MOST_WAITING || this.#remembered.has(subject)) return;
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear();
    this.#remembered.add(subject);
    subjects.push(subject);
    this.#waiting += 1;
  }

  async #write(): Promise<void> {
    const { site, log, isEnabled } = this.#context;
    if (this.#notes.size === 0 || !isEnabled()) return;
    const notes = this.#notes;
    [this.#notes, this.#waiting] = [new Map(), 0];
    try {
      let hasNames = true;
      for (const [minute, counts] of notes) hasNames = await site.add(minute, counts);
      await this.#name(hasNames);
    } catch (error) {
      // Who was not written is noted with the next view.
      this.#remembered.clear();
      if (this.#failures.mayLog())
        log.warn({ err: error }, 'Counts of the site could not be written: these are missing.');
    }
  }

  // Names are written where they are missing, and where the rules have changed.
  async #name(hasNames: boolean): Promise<void> {
    const { site, rules, names } = this.#context;
    const { current } = rules;
    if (hasNames && this.#named === current) return;
    const clusters = Object.keys(current.compiled.patterns).map((name): SiteName => ({ kind: 'cluster', name }));
    const pages = names.flatMap(({ kind, name }): SiteName[] => (kind === 'page' ? [{ kind, name }] : []));
    await site.addNames([...clusters, ...pages]);
    this.#named = current;
  }
}

function addTo(counts: Map<string, number>, field: string): void {
  counts.set(field, (counts.get(field) ?? 0) + 1);
}
