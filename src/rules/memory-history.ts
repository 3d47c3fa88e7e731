import type { Fact } from '../knowledge/index.ts';
import { normalizeItem, type SuggestionMark } from '../protocol/index.ts';
import { type Known, NO, YES } from './answers.ts';
import type { CompiledRules } from './compiled-rules.ts';
import { type FactName, nameOfEventWith, nameOfMark } from './fact-name.ts';
import { MAX_DAYS } from './limits.ts';

const SECONDS_PER_DAY = 86_400;
const SECONDS_PER_MINUTE = 60;
const INACTIVE_MINUTES = 5;

/** Of what rules are evaluated beside a history. */
export interface Moment {
  /** Seconds of the epoch. */
  readonly now: number;
  /** Groups to which the visitor belongs. Default: none. */
  readonly groups?: readonly string[];
  /** Whether asked as a person. Default false. */
  readonly isPerson?: boolean;
  /** The page that is being rendered, whose view is not in the history. Default: none. */
  readonly here?: string;
}

/** What happened to one visitor, in memory: for trying rules without Redis. Times are seconds of the epoch, and come in
 *  their order. It is exact, and has no bound of its own. */
export class MemoryHistory {
  readonly #rules: CompiledRules;
  readonly #pages = new Set<string>();
  readonly #items = new Set<string>();
  readonly #minutes = new Set<number>();
  readonly #facts = new Map<string, Fact>();
  #views = 0;
  #firstView: number | undefined;

  /** `rules`: they say which clusters a page belongs to. */
  constructor(rules: CompiledRules) {
    this.#rules = rules;
  }

  /** Adds a view of a page. */
  view(page: string, at: number): void {
    const item = normalizeItem(page);
    this.#views += 1;
    this.#firstView = Math.min(this.#firstView ?? at, at);
    this.#pages.add(item);
    this.#minutes.add(minuteOf(at));
    for (const name of this.#rules.clusters.of(item)) this.#count({ kind: 'cluster', name }, 1, at);
  }

  /** Adds marked items. */
  markSeen(items: readonly string[]): void {
    for (const item of items) this.#items.add(normalizeItem(item));
  }

  /** Adds an event. */
  track(event: string, at: number, { count = 1, items = [] as readonly string[] } = {}): void {
    this.#count({ kind: 'event', name: event }, count, at);
    for (const item of new Set(items.map(normalizeItem))) {
      this.#count({ kind: 'event', name: nameOfEventWith(event, item) }, count, at);
    }
  }

  /** Adds what the visitor did with the suggestion of a rule. */
  markSuggestion(rule: string, as: SuggestionMark, at: number): void {
    this.#count({ kind: 'event', name: nameOfMark(as, rule) }, 1, at);
  }

  /** Adds a fact by its name. */
  #count({ kind, name }: FactName, count: number, at: number): void {
    const key = `${kind}\0${name}`;
    const known = this.#facts.get(key);
    const day = Math.floor(at / SECONDS_PER_DAY);
    const days = new Map(known?.days ?? []);
    days.set(day, (days.get(day) ?? 0) + count);
    const last = Math.max(known?.last ?? at, at);
    const oldest = Math.floor(last / SECONDS_PER_DAY) - MAX_DAYS;
    this.#facts.set(key, {
      count: (known?.count ?? 0) + count,
      first: Math.min(known?.first ?? at, at),
      last,
      kept: false,
      days: [...days].filter(([each]) => each > oldest).sort(([one], [other]) => one - other),
    });
  }

  /** What is known at a moment, as rules ask for it. */
  knownAt({ now, groups = [], isPerson = false, here }: Moment): Known {
    const page = here === undefined ? undefined : normalizeItem(here);
    const { items, facts, clusters } = this.#rules;
    const viewing = page === undefined ? [] : clusters.of(page);
    return {
      now,
      groups,
      isPerson,
      seen: Uint8Array.from(items, (item) =>
        this.#pages.has(item) || this.#items.has(item) || item === page ? YES : NO,
      ),
      facts: facts.map(({ kind, name }) => this.#facts.get(`${kind}\0${name}`)),
      figures: {
        views: this.#views,
        uniquePages: this.#pages.size,
        activeMinutes: this.#minutes.size,
        firstView: this.#firstView,
        isInactive: !this.#wasActive(now),
      },
      here:
        page === undefined
          ? undefined
          : {
              isNew: !this.#pages.has(page),
              clusters: facts.flatMap(({ kind, name }, i) => (kind === 'cluster' && viewing.includes(name) ? [i] : [])),
            },
    };
  }

  #wasActive(now: number): boolean {
    const minute = minuteOf(now);
    for (let back = 0; back <= INACTIVE_MINUTES; back += 1) if (this.#minutes.has(minute - back)) return true;
    return false;
  }
}

function minuteOf(seconds: number): number {
  return Math.floor(seconds / SECONDS_PER_MINUTE);
}
