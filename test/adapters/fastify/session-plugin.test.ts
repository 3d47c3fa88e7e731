import { randomUUID } from 'node:crypto';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type SessionPluginOptions, SessionStore, sessionwise } from '../../../src/adapters/fastify/index.ts';
import { createToken, SessionClient, sessionOf } from '../../../src/index.ts';
import { type Service, startService } from '../../../src/service/index.ts';
import { startTestRedis } from '../../support/test-redis.ts';
import { useRedis } from '../../support/use-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { USER_AGENT } from '../suite/adapter-site.ts';
import { type Site, type SiteOptions, Sites } from './fastify-stage.ts';

const server = useRedis({ eachTest: 'kept' });
let service: Service;
let client: SessionClient;
let sites: Sites;

beforeAll(async () => {
  sites = new Sites({ redis: server.url, deadlineMs: 20_000 });
  service = await startService({ redis: server.url, secret: 'a secret of the tests, long enough' });
  client = new SessionClient({ redis: server.url, deadlineMs: 20_000 });
  expect(await client.ready()).toBe(true);
});
afterAll(async () => {
  await client?.close();
  await service?.stop();
});
afterEach(() => sites.close());

/** A site whose pages tell what they were given. */
function open(plugin: SessionPluginOptions = {}, session: SiteOptions['session'] = {}): Promise<Site> {
  return sites.open({
    session,
    plugin: { client, ...plugin },
    routes: (app) => {
      const tell = async (request: FastifyRequest): Promise<object> => ({
        id: request.sessionwise.id,
        views: (await request.sessionwise.request('session-analytics', ''))?.totalPages,
      });
      app.get('/*', tell);
      app.post('/*', tell);
    },
  });
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

describe('a page view', () => {
  it('is not a POST, and is what the site says it is', async () => {
    const token = randomUUID();
    const post = { method: 'POST', url: '/pages/a', headers: bearer(token) } as const;
    const site = await open({ countWhen: 'start' });
    await site.store.data.save(token, {});
    for (let i = 0; i < 2; i += 1) {
      expect((await site.app.inject(post)).json()).toEqual({ id: sessionOf(token), views: 0 });
    }
    const own = await open({ countWhen: 'start', isPageview: ({ url }) => url.startsWith('/pages/') });
    await own.store.data.save(token, {});
    await own.browser().get('/api/a', bearer(token));
    expect((await own.app.inject(post)).json()).toEqual({ id: sessionOf(token), views: 1 });
  });

  it('is known by the path that was asked for, not by the one it was rewritten to', async () => {
    const app = Fastify({ rewriteUrl: ({ url = '/' }) => url.replace('/alias', '/page') });
    onTestFinished(() => app.close());
    await app.register(sessionwise, { client, countWhen: 'start' });
    app.get('/page', async () => ({}));
    const token = randomUUID();
    await app.inject({ url: '/alias', headers: bearer(token) });
    expect(await client.session(sessionOf(token)).request('surface', ['/alias', '/page'])).toEqual(['/page']);
  });
});

describe('a page view at the end of its answer', () => {
  /** A site with the library's own store, and a visitor with a cookie of it. */
  async function openOther(routes: (app: FastifyInstance) => void): Promise<{ app: FastifyInstance; url: string }> {
    const app = Fastify({ forceCloseConnections: true });
    onTestFinished(() => app.close());
    await app.register(fastifyCookie);
    await app.register(fastifySession, { secret: 'x'.repeat(32), cookie: { secure: false } });
    await app.register(sessionwise, { client });
    routes(app);
    return { app, url: await app.listen({ port: 0, host: '127.0.0.1' }) };
  }

  it('counts nothing where there is no such page, and for the visitor whatever the session does', async () => {
    const { url } = await openOther((app) => {
      app.get('/a', async () => ({}));
      app.get('/destroy', async (request) => {
        await request.session.destroy();
        return {};
      });
    });
    const { publishes } = client.counters;
    const headers = { 'user-agent': USER_AGENT };
    expect((await fetch(`${url}/nowhere`, { headers })).status).toBe(404);
    expect(client.counters.publishes).toBe(publishes);
    expect((await fetch(`${url}/destroy`, { headers })).status).toBe(200);
    expect((await fetch(`${url}/a`, { headers })).status).toBe(200);
    expect(client.counters.publishes).toBe(publishes + 2);
  });

  it('counts nothing where the response fails, though the hook comes', async () => {
    let ended = 0;
    const { url } = await openOther((app) => {
      app.addHook('onResponse', async () => {
        ended += 1;
      });
      app.get('/a', (_request, reply) => {
        reply.hijack();
        reply.raw.write('at ');
        reply.raw.destroy();
        reply.raw.emit('error', new Error('of the response'));
      });
    });
    const { publishes } = client.counters;
    await fetch(`${url}/a`, { headers: { 'user-agent': USER_AGENT } })
      .then((response) => response.text())
      .catch(() => undefined);
    await waitUntil('the hook has come', () => ended === 1);
    expect(client.counters.publishes).toBe(publishes);
  });
});

describe('the token', () => {
  it('of our own form is nobody’s without a store, and where the store is away', async () => {
    const away = new SessionStore({ redis: 'unix:///nowhere/redis.sock', deadlineMs: 100 });
    onTestFinished(() => away.close());
    for (const options of [{}, { store: away }]) {
      const app = Fastify();
      onTestFinished(() => app.close());
      await app.register(sessionwise, { client, ...options });
      app.get('/a', async (request) => ({ id: request.sessionwise.id }));
      const response = await app.inject({ url: '/a', headers: bearer(createToken()) });
      expect(response.statusCode).toBe(200);
      expect(response.json()).toEqual({});
    }
  });

  it('may be missing: a browser has its own cookie, without @fastify/session too', async () => {
    const app = Fastify();
    onTestFinished(() => app.close());
    await app.register(sessionwise, { client });
    app.get('/a', async (request) => ({ id: request.sessionwise.id }));
    const answer = await app.inject({ url: '/a', headers: { 'user-agent': USER_AGENT } });
    const value = String(answer.headers['set-cookie']).slice('sessionwise='.length).split('.')[0]!;
    expect(answer.json()).toEqual({ id: sessionOf(value) });
  });
});

describe('the visitor’s cookie', () => {
  it.each([true, false])('is Secure like the request: trustProxy %s', async (trustProxy) => {
    const app = Fastify({ trustProxy });
    onTestFinished(() => app.close());
    await app.register(sessionwise, { client });
    app.get('/a', async (_request, reply) => reply.redirect('/b'));
    const headers = { 'user-agent': USER_AGENT, 'x-forwarded-proto': 'https' };
    const answer = await app.inject({ url: '/a', headers });
    expect(String(answer.headers['set-cookie']).includes('; Secure')).toBe(trustProxy);
  });
});

describe('the plugin', () => {
  it('serves routes of other plugins than the one that it was registered in', async () => {
    const app = Fastify();
    onTestFinished(() => app.close());
    await app.register(sessionwise, { client });
    await app.register(async (child) => {
      child.get('/a', async (request) => ({ id: request.sessionwise.id }));
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
    await app.register(sessionwise, { client });
    app.get('/a', async (request) => ({ id: request.sessionwise.id }));
    const answer = await app.inject({ url: '/a', headers: { 'user-agent': USER_AGENT } });
    const cookies = [answer.headers['set-cookie']].flat().map((cookie) => String(cookie).split('=')[0]);
    expect(cookies.sort()).toEqual(['sessionId', 'sessionwise']);
    expect(answer.json<{ id?: string }>().id).toBeDefined();
  });

  it('has a handle without a client too, which answers undefined', async () => {
    const site = await open({ client: undefined as never });
    expect((await site.browser().get('/a')).body).toEqual({});
  });

  it('answers a page whose service is absent', async () => {
    const alone = await startTestRedis();
    onTestFinished(() => alone.stop());
    const lonely = new SessionClient({ redis: alone.url });
    onTestFinished(() => lonely.close());
    expect(await lonely.ready()).toBe(true);
    const { status, body } = await (await open({ client: lonely })).browser().get('/a');
    expect(status).toBe(200);
    expect(body.views).toBeUndefined();
  });
});
