import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import session from 'express-session';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SessionStore, sessionwise } from '../../src/adapters/express/index.ts';
import { SessionClient } from '../../src/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { USER_AGENT } from '../adapters/suite/adapter-site.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* What a page costs that shows everything: its session, its view and four questions. Each number is a command that a
 * process sends to Redis for a page. Where a change makes one larger, that is to be seen here. */

const COSTS = {
  page: { GET: 1, PUBLISH: 2 },
  service: { EVALSHA: 1, GET: 1, HGET: 1, PUBLISH: 1 },
} satisfies Record<string, Record<string, number>>;
/** Messages of a page in all: its own, and the answers. */
const MESSAGES = 3;
const PAGES = 10;
const WARM_UP = 4;

/** What comes by time and not by page. */
const OTHERS = [
  ...['PING', 'TIME', 'EXISTS', 'HGETALL', 'HELLO', 'CLIENT', 'SUBSCRIBE', 'PSUBSCRIBE', 'EVAL', 'INFO', 'COMMAND'],
];
const ITEMS = ['/new/a', '/new/b'];

const server = useRedis({ eachTest: 'kept' });
let pageProxy: RedisProxy;
let serviceProxy: RedisProxy;
let service: Service;
let client: SessionClient;
let store: SessionStore;
let site: ReturnType<express.Express['listen']>;
const cookies = new Map<string, string>();
let id = '';

beforeAll(async () => {
  pageProxy = await startRedisProxy(server.socketPath);
  serviceProxy = await startRedisProxy(server.socketPath);
  const suggestions = [{ name: 'one', when: { all: [{ seen: '/p0' }, { seen: '/p1' }] }, suggest: '/d', reason: '' }];
  // A sweep, every two seconds, would be counted.
  const sessions = { sweep: false };
  service = await startService({ redis: serviceProxy.url, secret: 'a secret of the tests', suggestions, sessions });
  client = new SessionClient({ redis: pageProxy.url, deadlineMs: 20_000 });
  store = new SessionStore({ redis: pageProxy.url, deadlineMs: 20_000, sweep: false });
  await client.ready();
  site = openSite();
  await once(site, 'listening');
  // Scripts are known to the server, and the session to the page, once there were some.
  for (let i = 0; i < WARM_UP; i += 1) await visit(i);
  // A client asks in one message once it has heard which services there are.
  const handle = client.session(id);
  await waitUntil('questions to travel together', async () => {
    const before = client.counters.messages;
    await Promise.all([handle.suggestions(), handle.unseen(ITEMS)]);
    return client.counters.messages === before + 1;
  });
  const counted = async () => (await client.request('session-analytics', id, ''))?.totalPages;
  await waitUntil('the first views to be counted', async () => (await counted()) === WARM_UP);
});
afterAll(async () => {
  site?.close();
  site?.closeAllConnections();
  await client?.close();
  await store?.close();
  await service?.stop();
  await pageProxy?.close();
  await serviceProxy?.close();
});

function openSite(): ReturnType<express.Express['listen']> {
  const app = express();
  app.use(session({ store, genid: store.genid, secret: 'tests', resave: false, saveUninitialized: false }));
  app.get('/:page', sessionwise({ client, store }), async (request, response) => {
    const handle = request.sessionwise;
    id = handle.id!;
    Object.assign(request.session, { cart: 'lamp' });
    const answers = await Promise.all([
      handle.figures(),
      handle.unseen(ITEMS),
      handle.suggestions(),
      handle.notices.list({ groups: ['customers'], limit: 20 }),
    ]);
    response.json(answers);
  });
  return app.listen(0, '127.0.0.1');
}

async function visit(i: number): Promise<void> {
  const { port } = site.address() as AddressInfo;
  const cookie = [...cookies].map((pair) => pair.join('=')).join('; ');
  const headers = { accept: 'text/html', 'sec-fetch-dest': 'document', 'user-agent': USER_AGENT, cookie };
  const response = await fetch(`http://127.0.0.1:${port}/p${i % 3}`, { headers });
  for (const line of response.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line)!;
    cookies.set(name, value);
  }
  expect(((await response.json()) as unknown[]).filter((answer) => answer !== null)).toHaveLength(4);
}

function costsOf(proxy: RedisProxy): Record<string, number> {
  const costs: Record<string, number> = {};
  for (const [name = '', ...args] of proxy.commands()) {
    if (OTHERS.includes(name) || args.some((arg) => /:(_instances|meta)$/.test(arg))) continue;
    costs[name] = (costs[name] ?? 0) + 1 / PAGES;
  }
  return Object.fromEntries(Object.entries(costs).map(([name, times]) => [name, Number(times.toFixed(3))]));
}

it('a page with its session, its view and four questions costs exactly these commands', async () => {
  pageProxy.reset();
  serviceProxy.reset();
  for (let i = 0; i < PAGES; i += 1) await visit(i);
  const wanted = COSTS.service.EVALSHA * PAGES;
  await waitUntil('the last view to be counted', () => (costsOf(serviceProxy).EVALSHA ?? 0) * PAGES >= wanted);
  expect({ page: costsOf(pageProxy), service: costsOf(serviceProxy) }).toEqual(COSTS);
  expect(COSTS.page.PUBLISH + COSTS.service.PUBLISH).toBe(MESSAGES);
});
