// Live streams: what an open one takes, when all have a notice, and what pages lose that the same process serves meanwhile.
// Site, service, listeners, page load and Redis are processes of their own.
import { setTimeout as sleep } from 'node:timers/promises';
import { SessionClient } from 'sessionwise';
import { measurePages } from '../page/measure-pages.js';
import { GROUP, SECRET } from '../page/namespace.js';
import { rowOf } from '../report/rows.js';
import { startChild, startChildren, stopChildren } from '../support/child.js';
import { withRedis } from '../support/redis.js';

const SERVICE = new URL('../page/service-process.js', import.meta.url);
const LOAD = new URL('../support/load-process.js', import.meta.url);
const SITE = new URL('./site-process.js', import.meta.url);
const LISTENERS = new URL('./listeners-process.js', import.meta.url);
const SESSIONS = 200;
const CONNECTIONS = 64;
const SETTLE_MS = 300;

/** The rows of this part. */
export function benchLive({ rounds, smoke }) {
  const load = smoke
    ? { streams: 200, perSecond: 100, ms: 200, notices: 2 }
    : { streams: 10_000, perSecond: 1_000, ms: 6_000, notices: 5 };
  return withRedis(async ({ redis, url }) => {
    const services = await startChildren({
      service: () => startChild(SERVICE, ['ours', url]),
      load: () => startChild(LOAD),
      listeners: () => startChild(LISTENERS),
    });
    const site = await startChild(SITE, [url, String(SESSIONS)], ['--expose-gc']);
    const client = new SessionClient({ redis: url, namespace: 'ours', deadlineMs: 10_000 });
    await client.ready();
    const stage = { redis, ...services, site, client, ...load };
    try {
      const found = [];
      for (let round = 0; round < rounds; round += 1) found.push(await oneRound(stage, round));
      return rowsOf(load, found);
    } finally {
      await client.close();
      await stopChildren({ site, ...services });
    }
  });
}

function rowsOf({ streams, perSecond }, found) {
  return [
    rowOf({
      id: 'live/streams',
      title: 'open streams of one process, and a notice to all of them',
      load: `${streams} streams, nothing else to do`,
      rounds: found.map(({ opened }) => ({ ours: opened })),
    }),
    rowOf({
      id: 'live/pages',
      title: 'pages of a process, alone and while it holds open streams that are told a notice each second',
      load: `${perSecond} pages a second, whether those before are there or not; ${streams} streams`,
      against: 'alone',
      rounds: found.map(({ alone, beside }) => ({ alone, beside })),
    }),
  ];
}

async function oneRound(stage, round) {
  const { site, listeners, streams, notices } = stage;
  const alone = await pages(stage);
  const { port } = await site.ask('site');
  const before = await site.ask('memory');
  const openMs = await listeners.ask('open', { port, count: streams });
  const after = await site.ask('memory');
  if ((await site.ask('streams')) !== streams) throw new Error('Not all streams are open.');
  const told = await tell(stage, `${round}-idle`, 1, 0);
  // Pages of a second are told one notice.
  const [beside, meanwhile] = await Promise.all([pages(stage), tell(stage, `${round}-busy`, notices, 1_000)]);
  await listeners.ask('close');
  while ((await site.ask('streams')) > 0) await sleep(SETTLE_MS);
  const each = (name) => (after[name] - before[name]) / streams;
  return {
    alone,
    opened: { rssBytes: Math.max(0, each('rss')), heapBytes: each('heap'), openMs, ...told },
    beside: { ...beside, ...meanwhile },
  };
}

function pages({ redis, site, service, load, perSecond, ms }) {
  const of = { redis, site, service, load, secret: SECRET, marks: [], isCounted: true };
  return measurePages({
    ...of,
    path: 'publishes',
    connections: CONNECTIONS,
    mostConnections: CONNECTIONS,
    perSecond,
    warmMs: ms / 10,
    ms,
  });
}

// Publishes notices, and waits until all have each. Milliseconds from the publish until half, 99 % and all had it.
async function tell({ client, listeners }, name, count, pauseMs) {
  const marks = Array.from({ length: count }, (_, i) => `"id":"live-${name}-${i}"`);
  await listeners.ask('expect', { marks });
  const sent = [];
  for (const [i] of marks.entries()) {
    if (i > 0) await sleep(pauseMs);
    sent.push(performance.timeOrigin + performance.now());
    await client.notices.publish({ to: { group: GROUP }, id: `live-${name}-${i}`, text: 'A new lamp.' });
  }
  const arrived = await listeners.ask('arrived');
  const waits = arrived.flatMap((times, i) => times.map((time) => time - sent[i])).sort((a, b) => a - b);
  const at = (part) => waits[Math.min(waits.length - 1, Math.floor(waits.length * part))];
  return { toldMs: at(0.5), told99Ms: at(0.99), toldLastMs: waits.at(-1) };
}
