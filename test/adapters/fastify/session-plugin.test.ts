import { randomUUID } from 'node:crypto';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import Fastify from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type SessionPluginOptions, SessionStore, sessionwise } from '../../../src/adapters/fastify/index.ts';
import { createToken, SessionClient, sessionOf } from '../../../src/index.ts';
import { type Service, startService } from '../../../src/service/index.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { type Site, type SiteOptions, Sites } from './fastify-stage.ts';

let server: TestRedis;
let service: Service;
let client: SessionClient;
let sites: Sites;

beforeAll(async () => {
  server = await startTestRedis();
  sites = new Sites({ redis: server.url, deadlineMs: 20_000 });
  service = await startService({ redis: server.url, secret: 'a secret of the tests, long enough' });
  client = new SessionClient({ redis: server.url, deadlineMs: 20_000 });
  expect(await client.ready()).toBe(true);
});
afterAll(async () => {
  await client?.close();
  await service?.stop();
  await server?.stop();
});
afterEach(() => sites.close());

/** A site whose pages tell what they were given. */
function open(plugin: SessionPluginOptions = {}, session: SiteOptions['session'] = {}): Promise<Site> {
  return sites.open({
    session,
    plugin: { client, ...plugin },
    routes: (app) => {
      app.get('/*', async (request) => ({
        id: request.sessionwise?.id,
        token: request.session?.sessionId,
        view: await request.sessionwise?.view,
      }));
      app.post('/*', async (request) => ({ id: request.sessionwise?.id, view: await request.sessionwise?.view }));
    },
  });
}

/** The views that the service has counted for a session. */
async function viewsOf(id: string): Promise<number> {
  return (await client.session(id).analytics())!.totalPages;
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

describe('a page view', () => {
  it('is published, and the handle is attached', async () => {
    const site = await open();
    const { body } = await site.browser().get('/a?b=c');
    expect(body.id).toBe(sessionOf(body.token as string));
    // Nobody waited, so there is no answer.
    expect(body.view).toBeUndefined();
    await waitUntil('it is counted', async () => (await viewsOf(body.id as string)) === 1);
    expect(await client.session(body.id as string).surface(['/a', '/b'])).toEqual(['/b']);
  });

  it('is asked for where the page wants the answer', async () => {
    const site = await open({ pageview: 'request' });
    const browser = site.browser();
    expect((await browser.get('/a')).body.view).toMatchObject({ totalPages: 1, newToSite: true });
    expect((await browser.get('/a')).body.view).toMatchObject({ totalPages: 2, previouslyVisited: true });
  });

  it('is counted, asked for or left out as a function says', async () => {
    const site = await open({
      pageview: ({ url }) => (url === '/critical' ? 'request' : url === '/off' ? 'off' : 'publish'),
    });
    const browser = site.browser();
    expect((await browser.get('/off')).body.view).toBeUndefined();
    expect((await browser.get('/critical')).body.view).toMatchObject({ totalPages: 1 });
    const { body } = await browser.get('/other');
    expect(body.view).toBeUndefined();
    await waitUntil('it is counted', async () => (await viewsOf(body.id as string)) === 2);
  });

  it.each<[string, Record<string, string>]>([
    ['a prefetch', { 'sec-purpose': 'prefetch' }],
    ['an image', { 'sec-fetch-dest': 'image' }],
    ['a fetch', { 'sec-fetch-dest': 'empty' }],
  ])('is not %s, though it has its handle', async (_, headers) => {
    const site = await open({ pageview: 'request' });
    const browser = site.browser();
    const { body } = await browser.get('/a', headers);
    expect(body.view).toBeUndefined();
    expect(body.id).toBe(sessionOf(body.token as string));
    expect((await browser.get('/a')).body.view).toMatchObject({ totalPages: 1, newToSite: true });
  });

  it('is not a POST, and is what the site says it is', async () => {
    const token = randomUUID();
    const post = { method: 'POST', url: '/pages/a', headers: bearer(token) } as const;
    const site = await open({ pageview: 'request' });
    await site.store.data.save(token, {});
    expect((await site.app.inject(post)).json()).toEqual({ id: sessionOf(token) });
    const own = await open({ pageview: 'request', isPageview: ({ url }) => url.startsWith('/pages/') });
    expect((await own.app.inject(post)).json()).toMatchObject({ view: { totalPages: 1 } });
    expect((await own.browser().get('/api/a', bearer(token))).body.view).toBeUndefined();
  });

  it('is known by the path that was asked for, not by the one it was rewritten to', async () => {
    const app = Fastify({ rewriteUrl: ({ url = '/' }) => url.replace('/alias', '/page') });
    onTestFinished(() => app.close());
    await app.register(sessionwise, { client, pageview: 'request' });
    app.get('/page', async (request) => ({ view: await request.sessionwise?.view }));
    const token = randomUUID();
    const { view } = (await app.inject({ url: '/alias', headers: bearer(token) })).json<{ view: object }>();
    expect(view).toMatchObject({ totalPages: 1 });
    expect(await client.session(sessionOf(token)).surface(['/alias', '/page'])).toEqual(['/page']);
  });
});

describe('the token', () => {
  it('is a bearer token before it is a cookie', async () => {
    const site = await open();
    await site.store.data.save('api-key-7', {});
    const browser = site.browser();
    const { body } = await browser.get('/a');
    expect((await browser.get('/a', bearer('api-key-7'))).body.id).toBe(sessionOf('api-key-7'));
    expect((await browser.get('/a')).body.id).toBe(body.id);
  });

  it('is what the site says it is', async () => {
    const site = await open({ token: ({ headers }) => headers['x-api-key'] as string | undefined });
    const browser = site.browser();
    expect((await browser.get('/a', { 'x-api-key': 'k1', ...bearer('other') })).body.id).toBe(sessionOf('k1'));
    expect((await browser.get('/a', { 'x-api-key': '' })).body.id).toBeUndefined();
    expect((await browser.get('/a', bearer('other'))).body.id).toBeUndefined();
  });

  it('as a bearer token of another form counts while the store knows it', async () => {
    const site = await sites.open({
      store: { graceMs: 0 },
      plugin: { client },
      routes: (app) => app.get('/a', async (request) => ({ id: request.sessionwise?.id })),
    });
    const [rotated, ended] = [randomUUID(), randomUUID()];
    for (const token of [rotated, ended]) {
      await site.store.data.save(token, { user: 'ada' });
      expect((await site.browser().get('/a', bearer(token))).body.id).toBe(sessionOf(token));
    }
    const next = (await site.store.data.rotate(rotated))!;
    await site.store.data.end(ended);
    for (const token of [rotated, ended, randomUUID()]) {
      expect((await site.browser().get('/a', bearer(token))).body.id).toBeUndefined();
    }
    expect((await site.browser().get('/a', bearer(next))).body.id).toBe(sessionOf(rotated));
  });

  it('as a bearer token renews its session', async () => {
    const site = await sites.open({
      store: { touchEveryMs: 1 },
      plugin: { client },
      routes: (app) => app.get('/a', async (request) => ({ id: request.sessionwise?.id })),
    });
    const token = createToken();
    await site.store.data.save(token, { user: 'ada' });
    const { expiresAt } = site.store.data.infoOf((await site.store.data.load(token))!);
    await waitUntil('it is renewed', async () => {
      expect((await site.browser().get('/a', bearer(token))).body.id).toBe(sessionOf(token));
      return site.store.data.infoOf((await site.store.data.load(token))!).expiresAt > expiresAt;
    });
  });

  it('of our own form that somebody made up is nobody, though a function of the site lets it through', async () => {
    const site = await open({
      token: ({ headers, session }) => headers.authorization?.slice('Bearer '.length) ?? session.sessionId,
    });
    const token = createToken();
    await site.store.data.save(token, { user: 'ada' });
    expect((await site.browser().get('/a', bearer(createToken(sessionOf(token))))).body.id).toBeUndefined();
    expect((await site.browser().get('/a', bearer(token))).body.id).toBe(sessionOf(token));
    const { body } = await site.browser().get('/a');
    expect(body.id).toBe(sessionOf(body.token as string));
  });

  it('of our own form, as a bearer token, counts only where the store knows its secret', async () => {
    const site = await open();
    const token = createToken();
    await site.store.data.save(token, { user: 'ada' });
    expect((await site.browser().get('/a', bearer(token))).body.id).toBe(sessionOf(token));
    const madeUp = createToken(sessionOf(token));
    const { status, body } = await site.browser().get('/a', bearer(madeUp));
    expect(status).toBe(200);
    expect(body.id).toBeUndefined();
  });

  it('of our own form is nobody’s without a store, and where the store is away', async () => {
    const away = new SessionStore({ redis: 'unix:///nowhere/redis.sock', deadlineMs: 100 });
    onTestFinished(() => away.close());
    for (const options of [{}, { store: away }]) {
      const app = Fastify();
      onTestFinished(() => app.close());
      await app.register(sessionwise, { client, ...options });
      app.get('/a', async (request) => ({ id: request.sessionwise?.id }));
      const response = await app.inject({ url: '/a', headers: bearer(createToken()) });
      expect(response.statusCode).toBe(200);
      expect(response.json()).toEqual({});
    }
  });

  it('leaves an error of the page to the page', async () => {
    const site = await open();
    const token = createToken();
    await site.store.data.save(token, {});
    const app = Fastify();
    onTestFinished(() => app.close());
    await app.register(sessionwise, { client, store: site.store });
    app.get('/a', () => {
      throw Object.assign(new Error('of the page'), { statusCode: 418 });
    });
    const response = await app.inject({ url: '/a', headers: bearer(token) });
    expect(response.json()).toMatchObject({ statusCode: 418, message: 'of the page' });
  });

  it('leaves an error of the site’s own function to the site', async () => {
    const site = await open({
      pageview: () => {
        throw Object.assign(new Error('of the site'), { statusCode: 418 });
      },
    });
    const token = createToken();
    await site.store.data.save(token, {});
    for (const headers of [bearer(token), {}]) {
      const { status, body } = await site.browser().get('/a', headers);
      expect(status).toBe(418);
      expect(body.message).toBe('of the site');
    }
  });

  it('may be missing: then there is no handle, and the page goes on', async () => {
    const app = Fastify();
    onTestFinished(() => app.close());
    await app.register(sessionwise, { client, pageview: 'request' });
    app.get('/a', async (request) => ({ has: 'sessionwise' in request, handle: request.sessionwise?.id }));
    const { requests, publishes } = client.counters;
    expect((await app.inject('/a')).json()).toEqual({ has: true });
    expect(client.counters).toMatchObject({ requests, publishes });
  });
});

describe('a visitor who has done nothing yet', () => {
  const LAZY = { saveUninitialized: false, rolling: false };

  it('keeps one session, without saveUninitialized', async () => {
    const site = await open({ pageview: 'request' }, LAZY);
    const browser = site.browser();
    const first = await browser.get('/a');
    expect(first.setCookies).toHaveLength(1);
    for (let views = 2; views <= 4; views += 1) {
      const next = await browser.get('/b');
      expect(next.body).toMatchObject({ id: first.body.id, view: { totalPages: views, newToSite: false } });
      expect(next.setCookies).toEqual([]);
    }
  });

  it('is a new one each time where the site wants no marker', async () => {
    const site = await open({ trackAnonymous: false }, LAZY);
    const browser = site.browser();
    const [first, second] = [await browser.get('/a'), await browser.get('/a')];
    expect(first.setCookies).toEqual([]);
    expect(first.body.id).not.toBe(second.body.id);
  });
});

describe('the plugin', () => {
  it('serves routes of other plugins than the one that it was registered in', async () => {
    const app = Fastify();
    onTestFinished(() => app.close());
    await app.register(sessionwise, { client });
    await app.register(async (child) => {
      child.get('/a', async (request) => ({ id: request.sessionwise?.id }));
    });
    const token = randomUUID();
    const response = await app.inject({ url: '/a', headers: bearer(token) });
    expect(response.json()).toEqual({ id: sessionOf(token) });
  });

  it('needs a client or sessions, and its place', async () => {
    const bare = Fastify();
    onTestFinished(() => bare.close());
    await expect(bare.register(sessionwise, {})).rejects.toThrow('new SessionClient');

    const store = new SessionStore({ redis: server.url, sweep: false });
    onTestFinished(() => store.close());
    const app = Fastify();
    onTestFinished(() => app.close());
    await app.register(fastifyCookie);
    await app.register(sessionwise, { client });
    await app.register(fastifySession, { secret: 'x'.repeat(32), store });
    await expect(app.ready()).rejects.toThrow('after it');
  });

  it('works with another store, and without sessions of ours', async () => {
    const app = Fastify();
    onTestFinished(() => app.close());
    await app.register(fastifyCookie);
    await app.register(fastifySession, { secret: 'x'.repeat(32), cookie: { secure: false } });
    await app.register(sessionwise, { client, pageview: 'request' });
    app.get('/a', async (request) => ({ id: request.sessionwise?.id, token: request.session.sessionId }));
    const { id, token } = (await app.inject('/a')).json<{ id: string; token: string }>();
    expect(id).toBe(sessionOf(token));
  });

  it.each(['publish', 'request'] as const)(
    'fails no page where the service and Redis are away (%s)',
    async (pageview) => {
      const away = new SessionClient({ redis: 'unix:///nowhere/redis.sock' });
      onTestFinished(() => away.close());
      const site = await open({ client: away, pageview });
      const browser = site.browser();
      for (let i = 0; i < 20; i += 1) {
        const { status, body } = await browser.get('/a');
        expect(status).toBe(200);
        expect(body.view).toBeUndefined();
        expect(body.id).toBe(sessionOf(body.token as string));
      }
      expect(away.counters.requests + away.counters.publishes).toBe(20);
    },
  );

  it('answers a page whose service is absent, without a view', async () => {
    const alone = await startTestRedis();
    onTestFinished(() => alone.stop());
    const lonely = new SessionClient({ redis: alone.url });
    onTestFinished(() => lonely.close());
    expect(await lonely.ready()).toBe(true);
    const site = await open({ client: lonely, pageview: 'request' });
    const { status, body } = await site.browser().get('/a');
    expect(status).toBe(200);
    expect(body.view).toBeUndefined();
  });
});
