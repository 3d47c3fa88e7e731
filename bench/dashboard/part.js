// What open dashboards cost: a replay of a log at full speed, alone, with three pages of one dashboard, and with three
// dashboards of a page each. Replay, service, dashboards and Redis are processes of their own; the pages are streams of
// events that this process reads: browsers run elsewhere.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SECRET } from '../page/namespace.js';
import { rowOf } from '../report/rows.js';
import { readVisits } from '../rules/visits.js';
import { startChild, startChildren, stopChildren } from '../support/child.js';
import { withRedis } from '../support/redis.js';
import { interleave } from '../support/rounds.js';
import { readRedis, redisBetween } from '../support/window.js';
import { followNow } from './followers.js';

const SERVICE = new URL('./service-process.js', import.meta.url);
const DASHBOARD = new URL('./dashboard-process.js', import.meta.url);
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const run = promisify(execFile);
const FROM = Date.UTC(2026, 0, 15, 10);
const STEP_MS = 50;
const SETTLE_MS = 100;
const TOLD_DEADLINE_MS = 30_000;
/** How many dashboards, and how many pages of each. */
const SIDES = { none: [0, 0], pages: [1, 3], dashboards: [3, 1] };

/** The row of this part. */
export async function benchDashboard({ rounds, smoke }) {
  const folder = mkdtempSync(join(tmpdir(), 'sw-bench-log-'));
  const log = join(folder, 'access.log');
  const views = writeLog(log, smoke ? 500 : 80_000);
  try {
    const found = await withRedis(async ({ redis, url }) => {
      let number = 0;
      const measure = (_, side) => {
        number += 1;
        return replayOnce({ redis, url, log, views, namespace: `bench${number}`, side });
      };
      return (await interleave({ rows: [{ sides: Object.keys(SIDES) }], rounds, measure }))[0];
    });
    return [
      rowOf({
        id: 'dashboard/replay',
        title: 'a replay at full speed, alone and with three open pages of dashboards',
        load: `${views} views of a log, 32 in flight`,
        against: 'none',
        rounds: found,
      }),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Replays the log into a namespace of its own. */
async function replayOnce({ redis, url, log, views, namespace, side }) {
  const [dashboards, pages] = SIDES[side];
  const children = await startChildren({ service: () => startChild(SERVICE, [namespace, url]) });
  let followers;
  try {
    for (let i = 0; i < dashboards; i += 1) children[`dashboard${i}`] = await startChild(DASHBOARD, [namespace, url]);
    const { service, ...opened } = children;
    const urls = await Promise.all(Object.values(opened).map((child) => child.ask('url')));
    followers = await followNow(urls.flatMap((each) => Array.from({ length: pages }, () => each)));
    const cpuOf = async () => {
      const all = await Promise.all(Object.values(opened).map((child) => child.ask('cpu')));
      return all.reduce((sum, cpu) => sum + cpu, 0);
    };
    const before = { redis: await readRedis(redis), service: await service.ask('cpu'), dashboards: await cpuOf() };
    const { requestsPerSecond, p50Ms, p99Ms, degraded } = await replay(log, url, namespace);
    const after = { redis: await readRedis(redis), service: await service.ask('cpu'), dashboards: await cpuOf() };
    if (degraded > 0) throw new Error(`${degraded} views of a replay were not answered.`);
    await untilTold(followers, views);
    const { redisUs } = redisBetween(before.redis, after.redis, views);
    return {
      perSecond: requestsPerSecond,
      p50Ms,
      p99Ms,
      redisUs,
      serviceUs: (after.service - before.service) / views,
      ...(dashboards > 0 && {
        dashboardUs: (after.dashboards - before.dashboards) / views,
        told: Math.min(...followers.told()),
      }),
    };
  } finally {
    await followers?.close();
    await stopChildren(children);
  }
}

// The trial views of a replay count too.
async function untilTold(followers, views) {
  const end = performance.now() + TOLD_DEADLINE_MS;
  while (!followers.last().every((now) => now?.last30.views >= views)) {
    if (performance.now() > end) throw new Error('A page of a dashboard was not told of all views.');
    await sleep(SETTLE_MS);
  }
}

async function replay(log, url, namespace) {
  const args = ['replay', log, '--json', '--redis', url, '--namespace', namespace, '--deadline', '60000'];
  const env = { ...process.env, NODE_ENV: 'production', SESSIONWISE_SECRET: SECRET };
  const { stdout } = await run(process.execPath, [MAIN, ...args], { env, maxBuffer: 1e7 });
  return JSON.parse(stdout);
}

// Visits side by side, as a server writes them.
function writeLog(file, views) {
  const { visits } = readVisits();
  const lines = Array.from({ length: views }, (_, i) => {
    const [session, page] = visits[i % visits.length];
    const visitor = session + Math.floor(i / visits.length) * visits.length;
    const address = [10, visitor >> 16, (visitor >> 8) & 255, visitor & 255].join('.');
    const time = new Date(FROM + i * STEP_MS);
    const day = `${time.getUTCDate()}/Jan/2026:${time.toISOString().slice(11, 19)} +0000`;
    return `${address} - - [${day}] "GET ${page} HTTP/1.1" 200 1 "-" "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"`;
  });
  writeFileSync(file, `${lines.join('\n')}\n`);
  return views;
}
