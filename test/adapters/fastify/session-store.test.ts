import type fastifySession from '@fastify/session';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SessionStore } from '../../../src/adapters/fastify/index.ts';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { createConnection, Keys, type RedisConnection } from '../../../src/redis/index.ts';
import { recordOf } from '../../../src/sessions/index.ts';
import { startRedisProxy } from '../../support/redis-proxy.ts';
import { useRedis } from '../../support/use-redis.ts';
import { fieldsOf, Sites } from './fastify-stage.ts';
import { FASTIFY } from './fastify-under-test.ts';

const server = useRedis({ eachTest: 'kept' });
let redis: RedisConnection;
let sites: Sites;

beforeAll(async () => {
  redis = await createConnection(server.url).connect();
  sites = new Sites({ redis: server.url, deadlineMs: 20_000 });
});
afterAll(async () => {
  await redis?.close();
});
afterEach(() => sites.close());

describe('a store in the place of another', () => {
  it('keeps a login without the plugin, and an anonymous session at once for its idle time', async () => {
    const site = await sites.open({ plugin: false });
    const [ada, bob, none] = [site.browser(), site.browser(), site.browser()];
    await ada.get('/login/ada');
    await bob.get('/login/bob');
    expect((await ada.get('/me')).body).toEqual({ user: 'ada', degraded: false });
    expect((await bob.get('/me')).body).toEqual({ user: 'bob', degraded: false });
    expect((await (await sites.open({ plugin: false })).browser(ada.cookie).get('/me')).body.user).toBe('ada');
    // No plugin would see its second request.
    await none.get('/me');
    const loaded = recordOf((await site.store.data.load(none.token))!);
    expect(loaded.header.expiresAt - site.store.data.now(loaded.session)).toBeGreaterThan(600_000 * 0.99);
  });

  it('takes a public id for its end, from code that is no request, and for nothing else', async () => {
    const site = await sites.open();
    const victim = site.browser();
    await victim.get('/login/ada');
    const id = sessionOf(victim.token);
    expect(await site.store.get(id)).toBeNull();
    expect(await site.store.data.sessions()).toContain(id);
    await site.store.destroy(id);
    expect((await victim.get('/me')).body).not.toHaveProperty('user');
    const { body } = await victim.get('/login/ada');
    expect(body).toEqual({ user: 'ada' });
    await new Promise((done) => site.store.destroy(sessionOf(victim.token), done));
    expect(await site.store.get(victim.token)).toBeNull();
  });

  it('says that operations need a session', async () => {
    const site = await sites.open({ session: { cookie: { secure: false, path: '/only' } } });
    site.store.on('store:down', (error) => expect.unreachable(error.message));
    const request = { session: {}, headers: {} } as never;
    await expect(site.store.increment(request, 'count')).rejects.toThrow('register @fastify/session');
    expect(site.store.info(request)).toBeUndefined();
    expect(site.store.isDegraded(request)).toBe(false);
  });

  it('saves a new session once, and then what was changed', async () => {
    const proxy = await startRedisProxy(server.socketPath);
    onTestFinished(() => proxy.close());
    const site = await sites.open({
      store: { redis: proxy.url },
      routes: (app) => {
        app.get('/twice', async (request) => {
          fieldsOf(request).first = 1;
          const saving = request.session.save();
          // The record is being made; what comes now finds it.
          while (!proxy.commands().some(([name]) => name === 'EVAL')) await new Promise(setImmediate);
          fieldsOf(request).second = 2;
          await Promise.all([saving, request.session.save()]);
          return {};
        });
      },
    });
    const browser = site.browser();
    await browser.get('/twice');
    expect(site.store.data.valuesOf((await site.store.data.load(browser.token))!)).toMatchObject({
      first: 1,
      second: 2,
    });
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

  it('leaves fields of names that @fastify/session uses to those who can read them', async () => {
    const site = await sites.open();
    const token = createToken();
    const fields = { save: 'x', isSaved: 'y', sessionId: 'z', sessionwiseOrigin: 'w', user: 'ada' };
    await site.store.data.save(token, fields);
    const browser = site.browser();
    browser.cookie = FASTIFY.cookies.sign(token);
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
