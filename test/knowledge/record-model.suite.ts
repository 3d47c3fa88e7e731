import { describe, expect, it } from 'vitest';
import { type Knowledge, MINUTE_MS, SEEN_ITEMS_DEFAULTS, type SeenItemsOptions } from '../../src/knowledge/index.ts';
import { countWithin } from '../../src/rules/answers.ts';
import { useTestData } from '../support/use-test-data.ts';
import { SubjectModel } from './model.ts';

/* What Redis holds of subjects against a plain model, over random operations with a seed. */

const SESSIONS = 40;

/** A generator of numbers from 0 to below 1: the same seed gives the same numbers. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Runs `operations` random ones and compares every answer. In a large form a page may be called seen falsely, and unique
 *  pages are an estimate: those are bounded, and everything else is exact. */
export function recordModelSuite(
  name: string,
  options: Partial<SeenItemsOptions>,
  operations: number,
  serverPath?: string,
): void {
  describe(`a subject against a plain model, ${name}`, () => {
    const stage = useTestData(serverPath === undefined ? {} : { serverPath });

    it(`${operations.toLocaleString('en')} random operations, at out of order, some at once`, async () => {
      const seen = { ...SEEN_ITEMS_DEFAULTS, ...options };
      const knowledge = stage.with({ seen });
      const random = randomOf(operations + seen.exactLimit);
      const start = Date.UTC(2026, 6, 1);
      const models = new Map(Array.from({ length: SESSIONS }, (_, i) => [`subject-${i}`, new SubjectModel()]));
      const falseSeen = { count: 0, of: 0 };
      const work = async ([subject, model]: [string, SubjectModel], n: number): Promise<void> => {
        for (let i = 0; i < n; i += 1) await step(knowledge, subject, model, random, start, seen.exactLimit, falseSeen);
      };
      await Promise.all([...models].map((entry) => work(entry, Math.ceil(operations / SESSIONS))));
      expect(falseSeen.count).toBeLessThanOrEqual(0.012 * falseSeen.of + 5);
    }, 600_000);
  });
}

async function step(
  knowledge: Knowledge,
  subject: string,
  model: SubjectModel,
  random: () => number,
  start: number,
  exactLimit: number,
  falseSeen: { count: number; of: number },
): Promise<void> {
  const what = random();
  // A few subjects see a great deal, most see little.
  const width = 10 ** (1 + 3 * ((Number(subject.slice(8)) % 10) / 9));
  const page = (): number => Math.floor(random() ** 2 * width);
  if (what < 0.6) {
    // Forward by seconds, minutes, hours or days; now and then a view comes late by as much.
    model.clock += gap(random);
    const late = random() < 0.15 ? gap(random) : 0;
    const at = start + model.clock - Math.min(late, 30 * DAY_MS);
    const isLarge = model.pages.size >= exactLimit;
    const one = page();
    const expected = model.view(one, at);
    const clusters = CLUSTERS.filter((_, i) => one % (i + 3) === 0);
    for (const cluster of clusters) model.happened(cluster, at);
    const hashes = knowledge.items.ofAll('cluster', clusters);
    const got = await knowledge.recordView(subject, knowledge.items.of('page', `/${one}`), { at, clusters: hashes });
    const { clusterCounts, ...visit } = got;
    expect(clusterCounts).toEqual(clusters.map((cluster) => model.facts.get(cluster)!.length));
    compare(visit, expected, isLarge || model.pages.size > exactLimit, falseSeen);
  } else if (what < 0.75) {
    const many = Array.from({ length: 1 + Math.floor(random() * 8) }, page);
    const was = many.map((item) => [item, model.items.has(item)] as const);
    const isLarge = model.items.size >= exactLimit;
    const answers = await knowledge.markItems(subject, knowledge.items.ofAll('item', many.map(String)));
    was.forEach(([item, before], i) => {
      if (!isLarge && !many.slice(0, i).includes(item) && new Set([...model.items, ...many]).size <= exactLimit) {
        expect(answers[i]).toBe(before);
      }
      if (before) expect(answers[i]).toBe(true);
      model.items.add(item);
    });
  } else if (what < 0.82) {
    const at = start + model.clock - (random() < 0.15 ? Math.min(gap(random), 30 * DAY_MS) : 0);
    const [event, count] = [EVENTS[Math.floor(random() * EVENTS.length)]!, 1 + Math.floor(random() * 3)];
    model.happened(event, at, count);
    const tracked = await knowledge.track(subject, [{ name: knowledge.items.of('event', event), count }], { at });
    expect(tracked).toEqual({ counts: [model.facts.get(event)!.length], dropped: 0 });
  } else {
    await ask(knowledge, subject, model, page, exactLimit, falseSeen);
  }
}

const CLUSTERS = ['tv', 'radio', 'lamps'];
const EVENTS = ['added', 'bought', 'searched', 'shared'];
const DAY_MS = 1_440 * MINUTE_MS;

function gap(random: () => number): number {
  const kind = random();
  if (kind < 0.4) return random() * 30_000;
  if (kind < 0.85) return random() * 8 * MINUTE_MS;
  return random() * (kind < 0.98 ? 70 * MINUTE_MS : DAY_MS);
}

function compare(
  got: Omit<Awaited<ReturnType<Knowledge['recordView']>>, 'clusterCounts'>,
  expected: ReturnType<SubjectModel['view']>,
  isLarge: boolean,
  falseSeen: { count: number; of: number },
): void {
  if (!isLarge) {
    expect(got).toEqual(expected);
    return;
  }
  const { uniquePages, previouslyVisited, ...exact } = expected;
  expect(got).toMatchObject(exact);
  expect(Math.abs(got.uniquePages - uniquePages)).toBeLessThanOrEqual(2 + 0.06 * uniquePages);
  if (previouslyVisited) expect(got.previouslyVisited).toBe(true);
  else {
    falseSeen.of += 1;
    falseSeen.count += got.previouslyVisited ? 1 : 0;
  }
}

async function ask(
  knowledge: Knowledge,
  subject: string,
  model: SubjectModel,
  page: () => number,
  exactLimit: number,
  falseSeen: { count: number; of: number },
): Promise<void> {
  const reading = knowledge.read(subject);
  const asked = Array.from({ length: 20 }, page);
  const [pages, items, visit, count] = await Promise.all([
    reading.hasSeen(
      'page',
      knowledge.items.ofAll(
        'page',
        asked.map((n) => `/${n}`),
      ),
    ),
    reading.hasSeen('item', knowledge.items.ofAll('item', asked.map(String))),
    reading.visit(Math.max(...model.minutes, 0) * MINUTE_MS),
    reading.count('item'),
  ]);
  for (const [set, answers] of [
    [model.pages, pages],
    [model.items, items],
  ] as const) {
    asked.forEach((n, i) => {
      if (set.has(n)) expect(answers[i]).toBe(true);
      else if (set.size <= exactLimit) expect(answers[i]).toBe(false);
      else {
        falseSeen.of += 1;
        falseSeen.count += answers[i] ? 1 : 0;
      }
    });
  }
  expect(visit.totalPages).toBe(model.views);
  expect(visit.activeMinutes).toBe(model.minutes.size);
  const facts = await reading.facts();
  expect(facts.size).toBe(model.facts.size);
  for (const [name, times] of model.facts) {
    const fact = facts.get(knowledge.items.of(EVENTS.includes(name) ? 'event' : 'cluster', name))!;
    const [first, latest] = [Math.min(...times), Math.max(...times)];
    expect(fact).toMatchObject({ count: times.length, first, last: latest });
    for (const days of [1, 7, 35]) {
      const oldest = Math.floor(latest / 86_400) - days;
      const within = times.filter((time) => Math.floor(time / 86_400) > oldest).length;
      expect(countWithin(fact, days, latest), `${name} within ${days} days`).toBe(within);
    }
  }
  const last = Math.max(...model.minutes);
  expect(visit.firstActiveMinute).toBe(model.views === 0 ? undefined : Math.min(...model.minutes) * MINUTE_MS);
  if (model.views > 0) expect(visit.lastMinutes).toEqual([5, 4, 3, 2, 1].map((back) => model.minutes.has(last - back)));
  if (model.items.size <= exactLimit) expect(count).toEqual({ count: model.items.size, exact: true });
}
