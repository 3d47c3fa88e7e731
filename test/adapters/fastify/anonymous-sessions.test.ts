import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SessionPluginOptions } from '../../../src/adapters/fastify/index.ts';
import { createToken, SessionClient } from '../../../src/index.ts';
import { createConnection, type RedisConnection } from '../../../src/redis/index.ts';
import { footprintOf } from '../../support/footprint.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { type Browser, fieldsOf, type Site, type SiteOptions, Sites } from './fastify-stage.ts';

const REQUESTS = 1_000;
const MAX_AGE_MS = 600_000 * 24;
const BRIEF_MS = 1_800_000;

let server: TestRedis;
let redis: RedisConnection;
let client: SessionClient;
let sites: Sites;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await createConnection(server.url).connect();
  client = new SessionClient({ redis: server.url });
  sites = new Sites({ redis: server.url, deadlineMs: 20_000 });
});
afterAll(async () => {
  await client?.close();
  await redis?.close();
  await server?.stop();
});
afterEach(() => sites.close());

async function open(plugin: Partial<SessionPluginOptions> = {}, session: SiteOptions['session'] = {}): Promise<Site> {
  await redis.command('FLUSHALL');
  return sites.open({
    plugin: { client, ...plugin },
    session: { cookie: { secure: false, maxAge: MAX_AGE_MS }, ...session },
    routes: (app, store) => {
      app.get('/', async () => ({}));
      app.get('/save', async (request) => {
        await request.session.save();
        return {};
      });
      app.get('/save-and-set', async (request) => {
        await request.session.save();
        fieldsOf(request).cart = ['lamp'];
        return {};
      });
      app.get('/save-and-identify', async (request) => {
        await request.session.save();
        await store.identify(request, 'ada');
        return {};
      });
      app.get('/set', async (request) => {
        fieldsOf(request).cart = ['lamp'];
        return {};
      });
      app.get('/identify', async (request) => {
        await store.identify(request, 'ada');
        return {};
      });
      app.get('/rotate', async (request) => {
        await store.rotate(request);
        return {};
      });
      app.get('/regenerate', async (request) => {
        await request.session.regenerate();
        return {};
      });
    },
  });
}

/** How long a browser's session may rest from now, in milliseconds. */
async function restOf(site: Site, browser: Browser): Promise<number> {
  const loaded = await site.store.data.load(browser.token);
  const { session, expiresAt } = site.store.data.infoOf(loaded!);
  return expiresAt - site.store.data.now(session);
}

describe('a request with a bearer token and no cookie', () => {
  it.each([
    ['that the store knows', {}, {}],
    ['that the store knows, where only what is used is saved', { saveUninitialized: false, rolling: false }, {}],
    ['that nobody knows', {}, {}],
    ['of an API', {}, { token: ({ headers }) => headers.authorization } satisfies Partial<SessionPluginOptions>],
  ])('leaves no record, no cookie and no byte: one %s', async (which, session, plugin) => {
    const site = await open(plugin, session);
    const token = createToken();
    if (which.startsWith('that the store')) await site.store.data.save(token, { user: 'ada' });
    const before = await footprintOf(redis);
    let cookies = 0;
    for (let sent = 0; sent < REQUESTS; sent += 1) {
      const answer = await site.browser().get(sent % 2 ? '/' : '/save', { authorization: `Bearer ${token}` });
      expect(answer.status).toBe(200);
      cookies += answer.setCookies.length;
    }
    expect({ cookies, ...(await footprintOf(redis)) }).toEqual({ cookies: 0, ...before });
  });

  it.each(['/set', '/save-and-set', '/save-and-identify', '/identify', '/rotate', '/regenerate'])(
    'gets a session where the page asks for one: %s',
    async (path) => {
      const site = await open();
      const browser = site.browser();
      const answer = await browser.get(path, { authorization: `Bearer ${createToken()}` });
      expect(answer).toMatchObject({ status: 200, setCookies: [expect.any(String)] });
      expect(await site.store.data.load(browser.token)).toBeDefined();
    },
  );
});

describe('an anonymous session', () => {
  it.each(['/', '/save'])(
    'rests for minutes until its second request, and then for its idle time (%s)',
    async (path) => {
      const site = await open();
      const browser = site.browser();
      await browser.get(path);
      expect(await restOf(site, browser)).toBeLessThanOrEqual(BRIEF_MS * 1.1);
      await browser.get('/');
      expect(await restOf(site, browser)).toBeGreaterThan(MAX_AGE_MS * 0.99);
    },
  );

  it('rests for its idle time from the second request on, though the library saves nothing then', async () => {
    const site = await open({}, { rolling: false, saveUninitialized: false });
    const browser = site.browser();
    await browser.get('/');
    expect(await restOf(site, browser)).toBeLessThanOrEqual(BRIEF_MS * 1.1);
    expect((await browser.get('/')).setCookies).toEqual([]);
    await expect.poll(() => restOf(site, browser), { timeout: 20_000 }).toBeGreaterThan(MAX_AGE_MS * 0.99);
  });

  it('rests for its idle time at once where no plugin would see the second request', async () => {
    await redis.command('FLUSHALL');
    const site = await sites.open({ plugin: false, session: { cookie: { secure: false, maxAge: MAX_AGE_MS } } });
    const browser = site.browser();
    await browser.get('/me');
    expect(await restOf(site, browser)).toBeGreaterThan(MAX_AGE_MS * 0.99);
  });

  it.each(['/set', '/identify'])('is none once it holds something: %s at the first request', async (path) => {
    const site = await open();
    const browser = site.browser();
    await browser.get(path);
    expect(await restOf(site, browser)).toBeGreaterThan(MAX_AGE_MS * 0.99);
  });
});
