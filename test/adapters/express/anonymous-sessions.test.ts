import type { Request } from 'express';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type SessionMiddlewareOptions, sessionwise } from '../../../src/adapters/express/index.ts';
import { createToken, SessionClient } from '../../../src/index.ts';
import { createConnection, Keys, type RedisConnection } from '../../../src/redis/index.ts';
import { footprintOf } from '../../support/footprint.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { fieldsIn, type ServedStore, type SetUp, serveStore, tokenIn, Visitor } from './session-store-stage.suite.ts';

const REQUESTS = 1_000;
const DAY_MS = 86_400_000;
const BRIEF_MS = 1_800_000;

let server: TestRedis;
let redis: RedisConnection;
let client: SessionClient;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await createConnection(server.url).connect();
  client = new SessionClient({ redis: server.url });
});
afterAll(async () => {
  await client?.close();
  await redis?.close();
  await server?.stop();
});

async function open(
  options: Partial<SessionMiddlewareOptions<Request>> = {},
  session: Parameters<typeof serveStore>[1] = {},
  store: Partial<Parameters<typeof serveStore>[0]> = {},
  routes: SetUp = () => {},
): Promise<ServedStore> {
  await redis.command('FLUSHALL');
  const site = await serveStore({ redis: server.url, ...store }, session, (app, own) => {
    app.use(sessionwise<Request>({ client, ...options }));
    routes(app, own);
    app.get('/set', (request, response) => {
      fieldsIn(request).cart = ['lamp'];
      response.json({});
    });
    app.get('/identify', async (request, response) => {
      await request.session.identify('ada');
      response.json({});
    });
    app.get('/', (_request, response) => response.json({}));
  });
  onTestFinished(() => site.stop());
  return site;
}

async function ask(site: ServedStore, path: string, headers: Record<string, string> = {}): Promise<string[]> {
  const response = await fetch(site.url + path, { headers, signal: AbortSignal.timeout(20_000) });
  expect(response.status).toBe(200);
  await response.arrayBuffer();
  return response.headers.getSetCookie();
}

/** How long a visitor's session may rest from now, in milliseconds. */
async function restOf(site: ServedStore, { cookie }: Visitor): Promise<number> {
  const loaded = await site.store.data.load(tokenIn(cookie));
  const { session, expiresAt } = site.store.data.infoOf(loaded!);
  return expiresAt - site.store.data.now(session);
}

describe('a request with a bearer token and no cookie', () => {
  it.each([
    ['that the store knows', false, {}],
    ['that the store knows, where new sessions are saved', true, {}],
    ['that nobody knows', false, {}],
    ['that nobody knows, where new sessions are saved', true, {}],
    ['of an API', true, { token: (request: Request) => request.get('authorization') }],
  ])('leaves no record, no cookie and no byte: one %s', async (which, saveUninitialized, options) => {
    const site = await open(options, { saveUninitialized });
    const token = createToken();
    if (which.startsWith('that the store')) await site.store.data.save(token, { user: 'ada' });
    const before = await footprintOf(redis);
    let cookies = 0;
    for (let sent = 0; sent < REQUESTS; sent += 20) {
      const headers = { authorization: `Bearer ${token}` };
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(site, '/', headers)));
      cookies += answers.flat().length;
    }
    expect({ cookies, ...(await footprintOf(redis)) }).toEqual({ cookies: 0, ...before });
  });

  it.each([true, false])('gets a session once the page puts something in (saveUninitialized: %s)', async (all) => {
    const site = await open({}, { saveUninitialized: all });
    for (const path of ['/set', '/identify']) {
      const cookies = await ask(site, path, { authorization: `Bearer ${createToken()}` });
      expect(cookies).toHaveLength(1);
      expect(await site.store.data.load(tokenIn(cookies[0]!.split(';')[0]))).toBeDefined();
    }
  });
});

describe('a visitor who keeps no cookie', () => {
  it('leaves one record a request, and for minutes', async () => {
    const site = await open({}, { cookie: { maxAge: 30 * DAY_MS } });
    const cookies: string[] = [];
    for (let sent = 0; sent < REQUESTS; sent += 20) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(site, '/')));
      cookies.push(...answers.flat());
    }
    expect(cookies).toHaveLength(REQUESTS);
    const ends = await Promise.all(
      cookies.map(
        async (cookie) =>
          site.store.data.infoOf((await site.store.data.load(tokenIn(cookie.split(';')[0])))!).expiresAt,
      ),
    );
    const now = site.store.data.now();
    expect(Math.max(...ends) - now).toBeLessThanOrEqual(BRIEF_MS * 1.1);
    expect(Math.min(...ends) - now).toBeGreaterThan(BRIEF_MS * 0.9);
    // And the sweeper finds all of them then.
    const due = await Promise.all(
      Array.from({ length: 64 }, (_, partition) =>
        redis.command<number>('ZCOUNT', new Keys('sw').due(partition), '-inf', String(now + BRIEF_MS * 1.1)),
      ),
    );
    expect(due.reduce((sum, count) => sum + count, 0)).toBe(REQUESTS);
  });
});

describe('an anonymous session', () => {
  it('rests for minutes until its second request, and then for its idle time', async () => {
    const site = await open();
    const visitor = new Visitor(site);
    await visitor.get('/');
    expect(await restOf(site, visitor)).toBeLessThanOrEqual(BRIEF_MS * 1.1);
    await visitor.get('/');
    expect(await restOf(site, visitor)).toBeGreaterThan(DAY_MS * 0.99);
  });

  it.each(['/set', '/identify'])('is none once it holds something: %s at the first request', async (path) => {
    const site = await open();
    const visitor = new Visitor(site);
    await visitor.get(path);
    expect(await restOf(site, visitor)).toBeGreaterThan(DAY_MS * 0.99);
  });

  it('rests for minutes as well where its first request saves it itself, and for what is asked for', async () => {
    const site = await open({}, {}, { anonymousIdleMs: 60_000 }, (app) => {
      app.get('/save', (request, response, next) => {
        request.session.save((error) => (error ? next(error) : response.json({})));
      });
    });
    const visitor = new Visitor(site);
    await visitor.get('/save');
    expect(await restOf(site, visitor)).toBeLessThanOrEqual(66_000);
    await visitor.get('/set');
    expect(await restOf(site, visitor)).toBeGreaterThan(DAY_MS * 0.99);
  });

  it('never rests longer than its idle time', async () => {
    const site = await open({}, {}, { idleMs: 5_000 });
    const visitor = new Visitor(site);
    await visitor.get('/');
    expect(await restOf(site, visitor)).toBeLessThanOrEqual(5_500);
  });

  it('is over after them', async () => {
    const site = await open({}, {}, { anonymousIdleMs: 50 });
    const visitor = new Visitor(site);
    await visitor.get('/');
    const [before, token] = [visitor.cookie, tokenIn(visitor.cookie)];
    await expect.poll(() => site.store.data.load(token), { timeout: 20_000 }).toBeUndefined();
    await visitor.get('/');
    expect(visitor.cookie).not.toBe(before);
  });
});
