import type fastifySession from '@fastify/session';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SessionStore } from '../../../src/adapters/fastify/index.ts';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { createConnection, Keys, type RedisConnection } from '../../../src/redis/index.ts';
import { recordOf } from '../../../src/sessions/index.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { fieldsOf, type Site, type SiteOptions, Sites } from './fastify-stage.ts';

let server: TestRedis;
let redis: RedisConnection;
let sites: Sites;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await createConnection(server.url).connect();
  sites = new Sites({ redis: server.url, deadlineMs: 20_000 });
});
afterAll(async () => {
  await redis?.close();
  await server?.stop();
});
afterEach(() => sites.close());

describe('a store in the place of another', () => {
  it.each<[string, Partial<SiteOptions>]>([
    ['with the plugin', {}],
    ['without the plugin', { plugin: false }],
    ['with the ids of @fastify/session', { session: { idGenerator: () => crypto.randomUUID() } }],
    ['with a prefix', { session: { cookiePrefix: 's:' } }],
    ['without rolling, and nothing saved before it is used', { session: { rolling: false, saveUninitialized: false } }],
  ])('keeps a login, %s', async (_, options) => {
    const site = await sites.open(options);
    const [ada, bob] = [site.browser(), site.browser()];
    expect((await ada.get('/me')).body).toEqual({ degraded: false });
    await ada.get('/login/ada');
    await bob.get('/login/bob');
    const { cookie } = ada;
    for (let i = 0; i < 3; i += 1) {
      expect((await ada.get('/me')).body).toEqual({ user: 'ada', degraded: false });
      expect((await bob.get('/me')).body).toEqual({ user: 'bob', degraded: false });
    }
    expect(ada.cookie).toBe(cookie);
    // Another process of the same site.
    const other = await sites.open(options);
    expect((await other.browser(cookie).get('/me')).body).toEqual({ user: 'ada', degraded: false });
  });

  it('is what the option takes, and answers promises as well as callbacks', async () => {
    const store = new SessionStore({ redis: server.url, deadlineMs: 20_000, sweep: false });
    onTestFinished(() => store.close());
    const options: fastifySession.FastifySessionOptions = { secret: 'x'.repeat(32), store };
    expect(options.store).toBe(store);
    const token = store.genid();
    expect(token).toMatch(/^[0-9a-z]{25}\.[\w-]{43}$/);
    const values = { cookie: { originalMaxAge: null }, user: 'ada' };
    await store.set(token, values as never);
    expect(await store.get(token)).toMatchObject({ user: 'ada' });
    const got = await new Promise((resolve) => store.get(token, (error, found) => resolve([error, found])));
    expect(got).toMatchObject([null, { user: 'ada' }]);
    await store.destroy(token);
    expect(await store.get(token)).toBeNull();
    expect(await store.get('of nobody')).toBeNull();
  });

  it('refuses options that cannot be used, at once', () => {
    expect(() => new SessionStore({ redis: server.url, fail: 'ajar' as never })).toThrow('"ajar"');
    expect(() => new SessionStore({} as never)).toThrow(RangeError);
  });

  it('keeps what an application sets, changes and removes', async () => {
    const site = await sites.open({
      routes: (app) => {
        app.get('/set', async (request) => {
          Object.assign(fieldsOf(request), { list: [1, { a: 'b' }], nothing: null, text: 'ü', gone: 1 });
          return {};
        });
        app.get('/change', async (request) => {
          (fieldsOf(request).list as unknown[]).push(2);
          delete fieldsOf(request).gone;
          return {};
        });
        app.get('/all', async (request) => JSON.parse(JSON.stringify(request.session)) as object);
      },
    });
    const browser = site.browser();
    await browser.get('/set');
    await browser.get('/change');
    const { cookie, ...fields } = (await browser.get('/all')).body;
    expect(fields).toEqual({ list: [1, { a: 'b' }, 2], nothing: null, text: 'ü' });
    expect(cookie).toMatchObject({ originalMaxAge: 600_000, path: '/', httpOnly: true });
  });

  it('takes no cookie that the site has not signed, and no token of a session that is not there', async () => {
    const site = await sites.open();
    const [ada, forger] = [site.browser(), site.browser()];
    await ada.get('/login/ada');
    forger.cookie = `${ada.cookie}x`;
    expect((await forger.get('/me')).body.user).toBeUndefined();
    const madeUp = createToken(sessionOf(ada.token));
    expect(await site.store.get(madeUp)).toBeNull();
    expect((await ada.get('/me')).body.user).toBe('ada');
  });

  it('leaves fields of names that @fastify/session uses to those who can read them', async () => {
    const site = await sites.open();
    const token = createToken();
    const fields = { save: 'x', isSaved: 'y', sessionId: 'z', sessionwiseOrigin: 'w', user: 'ada' };
    await site.store.data.save(token, fields);
    const browser = site.browser();
    // The site's own signature for that token.
    const signed = await signedCookie(site, token);
    browser.cookie = signed;
    expect((await browser.get('/me')).body.user).toBe('ada');
    await browser.get('/login/eve');
    expect(site.store.data.valuesOf((await site.store.data.load(token))!)).toMatchObject({ ...fields, user: 'eve' });
  });
});

describe('the library’s own operations', () => {
  it('regenerate ends the old session and keeps what it is told to', async () => {
    const site = await sites.open({
      routes: (app) => {
        app.get('/regenerate', async (request) => {
          await request.session.regenerate(['user']);
          fieldsOf(request).fresh = true;
          return {};
        });
      },
    });
    const browser = site.browser();
    await browser.get('/login/ada');
    const { cookie, token } = browser;
    expect((await browser.get('/regenerate')).setCookies).toHaveLength(1);
    expect(browser.cookie).not.toBe(cookie);
    expect((await browser.get('/me')).body.user).toBe('ada');
    expect(site.store.data.valuesOf((await site.store.data.load(browser.token))!)).toMatchObject({
      user: 'ada',
      fresh: true,
    });
    expect(await site.store.data.load(token)).toBeUndefined();
    expect((await site.browser(cookie).get('/me')).body.user).toBeUndefined();
  });

  it('destroy ends it for good', async () => {
    const site = await sites.open();
    const browser = site.browser();
    await browser.get('/login/ada');
    const { cookie, token } = browser;
    await browser.get('/logout');
    expect(await site.store.data.load(token)).toBeUndefined();
    const again = site.browser(cookie);
    expect((await again.get('/me')).body.user).toBeUndefined();
    expect(again.cookie).not.toBe(cookie);
  });

  it('reload gives what others have saved meanwhile, and saves go on from there', async () => {
    const site = await sites.open({
      routes: (app, store) => {
        app.get('/reload', async (request) => {
          await store.data.save(request.session.sessionId, { user: 'ada', other: 1 });
          await request.session.reload();
          const { user, other } = fieldsOf(request);
          fieldsOf(request).own = 2;
          return { user, other, names: Object.keys(fieldsOf(request)) };
        });
      },
    });
    const browser = site.browser();
    await browser.get('/login/ada');
    const { body } = await browser.get('/reload');
    expect(body).toMatchObject({ user: 'ada', other: 1 });
    expect((body.names as string[]).toSorted()).toEqual(['cookie', 'other', 'own', 'user']);
    expect(site.store.data.valuesOf((await site.store.data.load(browser.token))!)).toMatchObject({
      user: 'ada',
      other: 1,
      own: 2,
    });
  });
});

describe('what a session was loaded from', () => {
  it('is not to be seen by the application, and is never stored', async () => {
    const site = await sites.open({
      routes: (app) => {
        app.get('/names', async (request) => ({
          names: Object.keys(fieldsOf(request)),
          json: JSON.stringify(request.session),
          own: Object.getOwnPropertyNames(request.session).filter((name) => /sessionwise/i.test(name)),
          modified: request.session.isModified(),
        }));
      },
    });
    const browser = site.browser();
    await browser.get('/login/ada');
    const { body } = await browser.get('/names');
    expect(body).toMatchObject({ names: ['cookie', 'user'], own: [], modified: false });
    expect(body.json).not.toMatch(/sessionwise/i);
    const record = await redis.commandForBuffers<Buffer>('GET', new Keys('sw').record(sessionOf(browser.token)));
    expect(record.toString('latin1')).toContain('ada');
    expect(record.toString('latin1')).not.toMatch(/sessionwise/i);
  });

  it('is not stored either where there is no plugin', async () => {
    const site = await sites.open({ plugin: false });
    const browser = site.browser();
    for (const user of ['ada', 'bob', 'eve']) await browser.get(`/login/${user}`);
    const record = await redis.commandForBuffers<Buffer>('GET', new Keys('sw').record(sessionOf(browser.token)));
    expect(record.toString('latin1')).not.toMatch(/sessionwise/i);
    expect(recordOf((await site.store.data.load(browser.token))!).fields.size).toBe(2);
  });
});

describe('what cannot be stored', () => {
  it('is told by its field, once, and the rest is saved', async () => {
    const site = await sites.open({
      routes: (app) => {
        app.get('/circle', async (request) => {
          const circle: Record<string, unknown> = {};
          circle.self = circle;
          Object.assign(fieldsOf(request), { circle, good: 1 });
          return {};
        });
        app.setErrorHandler((error: Error & { code?: string }, _request, reply) =>
          reply.code(418).send({ code: error.code, message: error.message }),
        );
      },
    });
    const [ada, visitor] = [site.browser(), site.browser()];
    await ada.get('/login/ada');
    for (const browser of [ada, visitor]) {
      const { status, body, setCookies } = await browser.get('/circle');
      expect(status).toBe(418);
      expect(body).toMatchObject({ code: 'SESSION_NOT_SERIALISABLE' });
      expect(body.message).toContain('"circle"');
      expect(setCookies).toHaveLength(1);
      const values = site.store.data.valuesOf((await site.store.data.load(browser.token))!);
      expect(values).toMatchObject({ good: 1, ...(browser === ada && { user: 'ada' }) });
      expect(values).not.toHaveProperty('circle');
    }
  });
});

/** The cookie that the site would have set for a token. */
async function signedCookie(site: Site, token: string): Promise<string> {
  const { default: cookies } = await import('@fastify/cookie');
  const signer = new cookies.Signer('a secret of the tests, and long enough');
  return site.app.serializeCookie('sessionId', signer.sign(token));
}
