import type { Condition, Rules, SuggestionRule } from '../../src/rules/index.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

/* rules-model.ts: what rules mean, in the plainest way: a log of what happened, and functions that read all of it for every
 * condition. Nothing is compiled, numbered or remembered. */

const DAY = 86_400;

/** Something that happened to a visitor; `at` in seconds of the epoch. */
export type Happening =
  | { readonly view: string; readonly at: number }
  | { readonly mark: string; readonly at: number }
  | { readonly event: string; readonly at: number; readonly count: number; readonly items: readonly string[] };

/** A visitor when rules are asked. */
export interface ModelVisitor {
  readonly log: readonly Happening[];
  readonly now: number;
  readonly groups: readonly string[];
  readonly isPerson: boolean;
  /** The page that is being rendered. */
  readonly here: string | undefined;
}

const CLUSTERS = { tv: ['/tv/*'], all: ['/**'], lamps: ['/lamp', '/lamp/*'] };
const PAGES = ['/tv/1', '/tv/2', '/tv/3', '/lamp', '/lamp/1', '/radio', '/about'];
const ITEMS = [...PAGES, 'book-1', 'book-2'];
const EVENTS = ['added', 'bought', 'called'];
const GROUPS = ['vip', 'staff'];

/** Whether a condition holds. */
export function modelHolds(rules: Rules, condition: Condition, visitor: ModelVisitor): boolean {
  const { log, now, groups, isPerson, here } = visitor;
  const holds = (part: Condition): boolean => modelHolds(rules, part, visitor);
  const views = log.filter((each) => 'view' in each);
  const viewed = here === undefined ? views : [...views, { view: here, at: now }];
  const within = (at: number, days: number | undefined): boolean =>
    days === undefined || Math.floor(at / DAY) > Math.floor(now / DAY) - days;
  const minutes = new Set(views.map(({ at }) => Math.floor(at / 60)));
  const firstView = Math.min(...views.map(({ at }) => at));
  if ('all' in condition) return condition.all.every(holds);
  if ('any' in condition) return condition.any.some(holds);
  if ('not' in condition) return !holds(condition.not);
  if ('segment' in condition) return holds(rules.segments![condition.segment]!);
  if ('seen' in condition) {
    const marks = log.filter((each) => 'mark' in each && each.mark === condition.seen);
    return marks.length > 0 || viewed.some(({ view }) => view === condition.seen);
  }
  if ('event' in condition) {
    const { event, item, atLeast = 1, withinDays } = condition;
    const count = log.reduce(
      (sum, each) =>
        'event' in each &&
        each.event === event &&
        (item === undefined || each.items.includes(item)) &&
        within(each.at, withinDays)
          ? sum + each.count
          : sum,
      0,
    );
    return count >= atLeast;
  }
  if ('cluster' in condition) {
    const { cluster, atLeast = 1, withinDays } = condition;
    return viewed.filter(({ view, at }) => isInCluster(cluster, view) && within(at, withinDays)).length >= atLeast;
  }
  if ('views' in condition) return viewed.length >= condition.views;
  if ('uniquePages' in condition) return new Set(viewed.map(({ view }) => view)).size >= condition.uniquePages;
  if ('activeMinutes' in condition) return minutes.size >= condition.activeMinutes;
  if ('newToSite' in condition) return views.length === 0;
  if ('inactive' in condition) {
    const minute = Math.floor(now / 60);
    return views.length > 0 && ![0, 1, 2, 3, 4, 5].some((back) => minutes.has(minute - back));
  }
  if ('returning' in condition) return views.length > 0 && Math.floor(firstView / DAY) < Math.floor(now / DAY);
  if ('daysSinceFirstView' in condition) {
    return views.length > 0 && now - firstView >= condition.daysSinceFirstView * DAY;
  }
  if ('identified' in condition) return isPerson;
  return groups.includes(condition.group);
}

/** Whether a page belongs to one of the clusters of these tests. */
function isInCluster(cluster: string, page: string): boolean {
  if (cluster === 'tv') return /^\/tv\/[^/]+$/.test(page);
  return cluster === 'all' || /^\/lamp(\/[^/]+)?$/.test(page);
}

/** Whether a rule suggests. */
export function modelSuggests(rules: Rules, { when, unless }: SuggestionRule, visitor: ModelVisitor): boolean {
  return modelHolds(rules, when, visitor) && !(unless && modelHolds(rules, unless, visitor));
}

/** Makes rules by chance. Segments ask those before them. */
export function randomRules(random: SeededRandom, suggestions: number): Rules {
  const segments: Record<string, Condition> = {};
  for (const name of ['s1', 's2', 's3']) segments[name] = randomCondition(random, Object.keys(segments), 2);
  const names = Object.keys(segments);
  return {
    clusters: CLUSTERS,
    segments,
    suggestions: Array.from({ length: suggestions }, (_, i) => ({
      name: `rule-${i}`,
      when: randomCondition(random, names, 4),
      ...(random.below(4) === 0 && { unless: randomCondition(random, names, 2) }),
      suggest: `thing-${i}`,
      priority: random.below(3) - 1,
    })),
  };
}

function randomCondition(random: SeededRandom, segments: readonly string[], depth: number): Condition {
  const part = (): Condition => randomCondition(random, segments, depth - 1);
  const parts = (): Condition[] => Array.from({ length: 1 + random.below(3) }, part);
  const count = (): number => 1 + random.below(4);
  const howOften = () => ({
    ...(random.below(2) === 0 && { atLeast: count() }),
    ...(random.below(2) === 0 && { withinDays: random.pick([1, 2, 7, 35]) }),
  });
  const kinds: (() => Condition)[] = [
    () => ({ seen: random.pick(ITEMS) }),
    () => ({ seen: random.pick(ITEMS) }),
    () => ({
      event: random.pick(EVENTS),
      ...(random.below(2) === 0 && { item: random.pick(ITEMS) }),
      ...howOften(),
    }),
    () => ({ cluster: random.pick(Object.keys(CLUSTERS)), ...howOften() }),
    () => ({ views: count() }),
    () => ({ uniquePages: count() }),
    () => ({ activeMinutes: count() }),
    () => random.pick<Condition>([{ newToSite: true }, { inactive: true }, { returning: true }, { identified: true }]),
    () => ({ daysSinceFirstView: random.pick([1, 2, 7, 40]) }),
    () => ({ group: random.pick(GROUPS) }),
  ];
  if (segments.length > 0) kinds.push(() => ({ segment: random.pick(segments) }));
  const within = [() => ({ all: parts() }), () => ({ any: parts() }), () => ({ not: part() })];
  return random.pick(depth > 0 && random.below(2) === 0 ? within : kinds)();
}

/** Makes a visitor by chance, whose log is in the order of time. `now`: milliseconds of the epoch; the log ends then. */
export function randomVisitor(random: SeededRandom, now: number): ModelVisitor {
  const seconds = Math.floor(now / 1_000);
  const past = random.pick([600, 7_200, 3 * DAY, 30 * DAY, 60 * DAY]);
  const times = Array.from({ length: random.below(12) }, () => seconds - random.below(past)).sort((a, b) => a - b);
  const log = times.map((at): Happening => {
    const kind = random.below(6);
    if (kind < 3) return { view: random.pick(PAGES), at };
    if (kind === 3) return { mark: random.pick(ITEMS), at };
    const items = random.below(2) === 0 ? [] : [random.pick(ITEMS)];
    return { event: random.pick(EVENTS), at, count: 1 + random.below(2), items };
  });
  return {
    log,
    now: seconds,
    groups: GROUPS.filter(() => random.below(3) === 0),
    isPerson: random.below(3) === 0,
    here: random.below(2) === 0 ? random.pick(PAGES) : undefined,
  };
}
