import { setTimeout as sleep } from 'node:timers/promises';
import { readRedis, redisBetween } from '../support/window.js';

const SETTLE_TRIES = 200;
const SETTLE_MS = 20;

/** One window of one side: pages a second, latencies, and what a page cost in each process. The load warms the site up
 *  on the connections that it then measures. `perSecond`: as many are asked for, else as many as come.
 *  @throws where a page is not whole, or the service has not counted exactly the pages that were answered. */
export async function measurePages({ redis, site, service, load, path, perSecond, warmMs, ms, ...of }) {
  const { port, visitors } = await site.ask('site');
  await load.ask('know', { visitors, secret: of.secret });
  const viewsBefore = of.isCounted ? await site.ask('countViews') : undefined;
  const connections = Math.min(of.connections, of.mostConnections);
  await load.ask('open', { port, connections });
  const asked = { path: `/${path}`, all: of.marks };
  const warm = await load.ask('run', { ...asked, ms: warmMs });
  const before = await readAll({ redis, site, service, load });
  const found = await load.ask(perSecond ? 'pace' : 'run', { ...asked, ms, perSecond });
  const after = await readAll({ redis, site, service, load });
  await load.ask('close');
  if (viewsBefore !== undefined) await settleViews(site, viewsBefore + warm.count + found.count);
  const { count, ...speed } = found;
  const each = (name) => (after[name] - before[name]) / count;
  return {
    ...speed,
    pages: count,
    siteUs: each('site'),
    ...(service && { serviceUs: each('service') }),
    loadUs: each('load'),
    ...redisBetween(before.redis, after.redis, count),
  };
}

async function readAll({ redis, site, service, load }) {
  const cpu = (child) => child?.ask('cpu');
  const [ofSite, ofService, ofLoad] = await Promise.all([cpu(site), cpu(service), cpu(load)]);
  return { site: ofSite, service: ofService, load: ofLoad, redis: await readRedis(redis) };
}

// Views are published, so the last may still be on their way.
async function settleViews(site, expected) {
  let counted;
  for (let tries = 0; tries < SETTLE_TRIES; tries += 1) {
    counted = await site.ask('countViews');
    if (counted === expected) return;
    await sleep(SETTLE_MS);
  }
  throw new Error(`${expected} views were to be counted, ${counted} were.`);
}
