// What rules cost: pages of real visits with 200 rules beside none, through services of their own, and the evaluation alone.
import { SessionClient } from 'sessionwise';
import { compileRules, MemoryHistory, suggest } from '../../dist/rules/index.js';
import { subjectOf } from '../knowledge/inline.js';
import { rowOf } from '../report/rows.js';
import { ownCpuUs, startChild, startChildren, stopChildren } from '../support/child.js';
import { withRedis } from '../support/redis.js';
import { interleave } from '../support/rounds.js';
import { readRedis, redisBetween, runFor, speedOf } from '../support/window.js';
import { rulesOf } from './rules.js';
import { readVisits } from './visits.js';

const SERVICE = new URL('./service-process.js', import.meta.url);
const SIDES = ['none', 'rules'];
const IN_FLIGHT = 16;
const ITEMS = 6;

/** The rows of this part. */
export async function benchRules({ rounds, smoke }) {
  const times = smoke ? { warmMs: 10, ms: 50 } : { warmMs: 250, ms: 2_500 };
  const site = readVisits();
  const pages = await withRedis(({ redis, url }) =>
    withSides(url, (sides) => pageRounds(redis, sides, site, rounds, times)),
  );
  return [
    rowOf({
      id: 'rules/page',
      title: 'a view and a page of three questions (figures, which of six are new, suggestions), with 200 rules',
      load: `${IN_FLIGHT} in flight, visits: ${site.name}`,
      against: 'none',
      rounds: pages,
    }),
    rowOf({
      id: 'rules/evaluation',
      title: 'the evaluation of 200 rules alone',
      load: 'one visitor of 60 views after another',
      rounds: Array.from({ length: rounds }, () => ({ rules: evaluationOf(site, smoke ? 20 : 2_000) })),
    }),
  ];
}

async function withSides(url, work) {
  const services = await startChildren(
    Object.fromEntries(SIDES.map((side) => [side, () => startChild(SERVICE, [side, url])])),
  );
  const clients = {};
  try {
    for (const namespace of SIDES) {
      clients[namespace] = new SessionClient({ redis: url, namespace, deadlineMs: 10_000, ownConnection: true });
      await clients[namespace].ready();
    }
    return await work(
      Object.fromEntries(SIDES.map((side) => [side, { service: services[side], client: clients[side], from: 0 }])),
    );
  } finally {
    await Promise.all(Object.values(clients).map((client) => client.close()));
    await stopChildren(services);
  }
}

async function pageRounds(redis, sides, { areas, visits }, rounds, { warmMs, ms }) {
  const items = areas.slice(0, ITEMS);
  const once = (side) => async (i) => {
    // Further rounds of the visits are those of other visitors.
    const [session, path] = visits[i % visits.length];
    const visitor = subjectOf('v', session + Math.floor(i / visits.length) * visits.length);
    const page = side.client.session(visitor, { page: path });
    const answers = await Promise.all([page.figures(), page.unseen(items), page.suggestions()]);
    if (answers.includes(undefined)) throw new Error('A question of a page was not answered.');
    if ((await page.request('pageview', path)) === undefined) throw new Error('A view was not answered.');
  };
  const measure = async (_, name) => {
    const side = sides[name];
    const run = async (duration) => {
      const found = await runFor({ ms: duration, inFlight: IN_FLIGHT, from: side.from, once: once(side) });
      side.from += found.count;
      return found;
    };
    await run(warmMs);
    const before = { redis: await readRedis(redis), service: await side.service.ask('cpu') };
    const found = await run(ms);
    const after = { redis: await readRedis(redis), service: await side.service.ask('cpu') };
    return {
      ...speedOf(found),
      serviceUs: (after.service - before.service) / found.count,
      ...redisBetween(before.redis, after.redis, found.count),
    };
  };
  const [found] = await interleave({ rows: [{ sides: SIDES }], rounds, measure });
  return found;
}

// Whoever has viewed much, and so holds much.
function evaluationOf({ areas }, count) {
  const rules = compileRules(rulesOf(areas));
  const now = Date.now() / 1000;
  const visitors = Array.from({ length: 50 }, (_, visitor) => {
    const history = new MemoryHistory(rules);
    for (let i = 0; i < 60; i += 1) history.view(areas[(visitor + i * i) % areas.length], now - (60 - i) * 60);
    return history.knownAt({ now });
  });
  const before = ownCpuUs();
  let made = 0;
  for (let i = 0; i < count; i += 1) {
    made += suggest(rules.suggestions, rules.answersOf(visitors[i % visitors.length])).length;
  }
  return { evaluationUs: (ownCpuUs() - before) / count, suggested: made / count };
}
