// What a subject costs that has seen much: 300 and 3,000 pages beside 12. The service runs in this process.
import { rowOf } from '../report/rows.js';
import { ownCpuUs } from '../support/child.js';
import { usedMemory, withRedis } from '../support/redis.js';
import { interleave } from '../support/rounds.js';
import { readRedis, redisBetween, runFor, speedOf } from '../support/window.js';
import { openInline, pathOf, subjectOf, viewAll } from './inline.js';

const PAGES = { few: 12, many: 300, most: 3_000 };
const SIDES = Object.keys(PAGES);
const IN_FLIGHT = 16;
const VIEW_MS = 1_000;
const WARM_UP = 20;

/** Half of them seen by everybody. */
const ITEMS = Array.from({ length: 100 }, (_, i) => (i % 2 ? pathOf(i % 12) : `/articles/never-${i}`));
const MEASURED = {
  surface: { title: '`surface` of 100 items', once: ({ ask }, subject) => ask('surface', subject, ITEMS) },
  question: { title: 'the figures', once: ({ ask }, subject) => ask('session-analytics', subject, '') },
  view: { title: 'a view of a known page', once: ({ ask }, subject) => ask('pageview', subject, pathOf(3)) },
};

/** The rows of this part. */
export async function benchPeople({ rounds, smoke }) {
  const times = smoke ? { warmMs: 10, ms: 30 } : { warmMs: 150, ms: 700 };
  // As many views in all for each side.
  const subjects = smoke ? { few: 400, many: 10, most: 1 } : { few: 1_000, many: 200, most: 40 };
  return withRedis(async ({ redis, url }) => {
    const inline = await openInline(url);
    const bytes = {};
    for (const side of SIDES) bytes[side] = { bytes: await seed(redis, inline, side, subjects[side]) };
    const rows = Object.keys(MEASURED).map((name) => ({ name, sides: SIDES }));
    const measure = ({ name }, side) => measureSide({ redis, inline, ...times }, name, side, subjects[side]);
    const found = await interleave({ rows, rounds, measure });
    await inline.close();
    const load = `subjects of 12, 300 and 3,000 pages, over inline`;
    return [
      rowOf({ id: 'people/bytes', title: 'bytes a subject', load, against: 'few', rounds: [bytes] }),
      ...rows.map(({ name }, i) =>
        rowOf({
          id: `people/${name}`,
          title: MEASURED[name].title,
          load: `${IN_FLIGHT} in flight, ${load}`,
          against: 'few',
          rounds: found[i],
        }),
      ),
    ];
  });
}

// A view a second, so that the last is now. Warmed up with as many pages, because larger forms have scripts of their own.
async function seed(redis, inline, side, subjects) {
  const views = () => {
    const start = Date.now() - PAGES[side] * VIEW_MS;
    return Array.from({ length: PAGES[side] }, (_, i) => [i, start + i * VIEW_MS]);
  };
  await viewAll(inline, `w${side}`, Math.min(WARM_UP, subjects), views);
  const before = await usedMemory(redis);
  await viewAll(inline, side, subjects, views);
  return ((await usedMemory(redis)) - before) / subjects;
}

async function measureSide({ redis, inline, warmMs, ms }, name, side, subjects) {
  const once = (i) => MEASURED[name].once(inline, subjectOf(side, i % subjects));
  await runFor({ ms: warmMs, inFlight: IN_FLIGHT, once });
  const before = { cpu: ownCpuUs(), redis: await readRedis(redis) };
  const found = await runFor({ ms, inFlight: IN_FLIGHT, once });
  const after = { cpu: ownCpuUs(), redis: await readRedis(redis) };
  return {
    ...speedOf(found),
    requests: found.count,
    serviceUs: (after.cpu - before.cpu) / found.count,
    ...redisBetween(before.redis, after.redis, found.count),
  };
}
