import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sessionOf } from '../../../src/protocol/index.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import {
  fieldsIn,
  fieldsOf,
  type ServedStore,
  type SetUp,
  serveStore,
  tokenIn,
  Visitor,
} from './session-store-stage.suite.ts';

/* Somebody gave a visitor's browser a cookie that they know themselves, and waited for the login. */

const pages: SetUp = (app, store) => {
  app.get('/cart/:value', (request, response) => {
    fieldsIn(request).cart = request.params.value;
    response.send('put');
  });
  app.get('/fields', (request, response) => {
    response.json(fieldsOf(request.session));
  });
  app.get('/info', (request, response) => {
    response.json(request.session.info() ?? {});
  });
  app.get('/login/:user', async (request, response) => {
    await request.session.rotate();
    await request.session.identify(request.params.user);
    fieldsIn(request).user = request.params.user;
    response.json({});
  });
  app.get('/rotated-twice', async (request, response) => {
    await request.session.rotate({ grace: true });
    await request.session.identify('ada');
    await request.session.rotate();
    response.json({});
  });
  app.get('/failing-login', async (request, response) => {
    await request.session.identify('').catch((error: Error) => response.status(400).send(error.message));
  });
  app.get('/regenerate/:user', (request, response, next) => {
    request.session.regenerate((error) => {
      if (error) return next(error);
      fieldsIn(request).user = request.params.user;
      response.json({});
    });
  });
  app.get('/devices', async (request, response) => {
    const userId = request.session.info()?.userId;
    response.json(userId === undefined ? [] : await store.data.sessionsOf(userId));
  });
  app.get('/logout', (request, response, next) => {
    request.session.destroy((error) => (error ? next(error) : response.send('bye')));
  });
  const operations: Record<string, (request: Parameters<typeof fieldsIn>[0]) => Promise<unknown>> = {
    increment: ({ session }) => session.increment('n'),
    append: ({ session }) => session.append('list', 1),
    'set-if': ({ session }) => session.setIf(session.info()?.version ?? 0, { planted: true }),
  };
  for (const [name, work] of Object.entries(operations)) {
    app.get(`/${name}`, async (request, response) => {
      await work(request);
      response.json({});
    });
  }
  app.get('/save', (request, response, next) => {
    fieldsIn(request).planted = true;
    request.session.save((error) => (error ? next(error) : response.send('saved')));
  });
};

// With `saveUninitialized` and `rolling` each answer sets a cookie where it may.
const settings = [
  ['as recommended', {}],
  ['rolling', { rolling: true, cookie: { maxAge: 600_000 } }],
  ['saving what is empty', { rolling: true, saveUninitialized: true }],
] as const;

describe.each(settings)('a cookie that was known before the login, in Express, %s', (_, sessionOptions) => {
  let server: TestRedis;
  let app: ServedStore;
  let victim: Visitor;
  let attacker: Visitor;

  beforeAll(async () => {
    server = await startTestRedis();
    app = await serveStore({ redis: server.url }, sessionOptions, pages);
  });
  beforeEach(async () => {
    victim = new Visitor(app);
    await victim.text('/cart/before');
    attacker = new Visitor(app, victim.cookie);
    expect(await attacker.json('/fields')).toMatchObject({ cart: 'before' });
    attacker.cookiesSet = 0;
    await victim.json('/login/ada');
  });
  afterAll(async () => {
    await app.stop();
    await server.stop();
  });

  const victimStands = async (): Promise<void> => {
    expect(await victim.json('/fields')).toEqual({ cart: 'before', user: 'ada' });
    expect(await victim.json('/info')).toMatchObject({ userId: 'ada' });
  };

  test('reads nothing of the session', async () => {
    expect(await attacker.json('/fields')).toEqual({});
    expect(await attacker.json('/devices')).toEqual([]);
    expect(JSON.stringify(await attacker.json('/info'))).not.toContain(sessionOf(tokenIn(victim.cookie)));
    await victimStands();
  });

  test.each(['/cart/planted', '/save', '/logout', '/increment', '/append', '/set-if'])(
    '%s changes nothing, and gets no cookie',
    async (path) => {
      const response = await attacker.getKeepingCookie(path);
      expect(response.headers.getSetCookie()).toEqual([]);
      expect([200, 409]).toContain(response.status);
      await victimStands();
    },
  );

  test.each(['/login/eve', '/regenerate/eve'])('%s begins a session of its own', async (path) => {
    await attacker.json(path);
    expect(attacker.cookiesSet).toBe(1);
    expect(await attacker.json('/fields')).toMatchObject({ user: 'eve' });
    expect(await attacker.json('/fields')).not.toHaveProperty('cart');
    expect(sessionOf(tokenIn(attacker.cookie))).not.toBe(sessionOf(tokenIn(victim.cookie)));
    await victimStands();
  });

  test('nothing is saved for it, however often it comes', async () => {
    const before = (await app.store.ids()).length;
    for (let i = 0; i < 20; i += 1) await (await attacker.getKeepingCookie(`/cart/${i}`)).text();
    expect(await app.store.ids()).toHaveLength(before);
  });

  test('a login that fails leaves the browser its cookie', async () => {
    const response = await attacker.getKeepingCookie('/failing-login');
    expect(response.status).toBe(400);
    expect(response.headers.getSetCookie()).toEqual([]);
    await victimStands();
  });

  test('a login that rotates twice: requests of before take no cookie away', async () => {
    const browser = new Visitor(app);
    await browser.text('/cart/mine');
    const slow = new Visitor(app, browser.cookie);
    await browser.json('/rotated-twice');
    for (const path of ['/fields', '/cart/late', '/fields']) {
      const response = await slow.getKeepingCookie(path);
      expect(response.status).toBe(200);
      expect(response.headers.getSetCookie()).toEqual([]);
      if (path === '/fields') expect(await response.json()).toEqual({});
    }
    expect(await browser.json('/fields')).toEqual({ cart: 'mine' });
    // The next request's rotation remembers the secret that it came with.
    const next = new Visitor(app, browser.cookie);
    await browser.json('/login/ada');
    expect((await next.getKeepingCookie('/cart/late')).headers.getSetCookie()).toEqual([]);
    expect(await browser.json('/fields')).toEqual({ cart: 'mine', user: 'ada' });
  });

  test("other requests of the visitor's page, before, beside and behind the login, take no cookie away", async () => {
    const elsewhere = await serveStore({ redis: server.url }, sessionOptions, pages);
    try {
      const browser = new Visitor(app);
      await browser.text('/cart/mine');
      const before = browser.cookie!;
      const page = (i: number): Promise<Response> =>
        new Visitor(i % 2 ? app : elsewhere, before).getKeepingCookie(i % 3 ? '/fields' : `/cart/${i}`);
      const others = Array.from({ length: 15 }, (_unused, i) => page(i));
      const login = browser.json('/login/grace');
      others.push(...Array.from({ length: 15 }, (_unused, i) => page(i)));
      await login;
      others.push(...Array.from({ length: 15 }, (_unused, i) => page(i)));
      for (const response of await Promise.all(others)) {
        expect(response.status).toBe(200);
        await response.text();
        for (const cookie of response.headers.getSetCookie()) expect(cookie.split(';')[0]).toBe(before);
      }
      expect(await browser.json('/fields')).toMatchObject({ user: 'grace' });
    } finally {
      await elsewhere.stop();
    }
  });
});

test.each(settings)('a login form that was sent twice, in Express with one session a user, %s', async (_, options) => {
  const server = await startTestRedis();
  const site = await serveStore({ redis: server.url, maxSessionsPerUser: 1, onSessionLimit: 'refuse' }, options, pages);
  try {
    const browser = new Visitor(site);
    await browser.text('/cart/mine');
    const before = new Visitor(site, browser.cookie);
    await browser.json('/login/ada');
    const second = await before.getKeepingCookie('/login/ada');
    expect(second.status).toBe(409);
    expect(second.headers.getSetCookie()).toEqual([]);
    expect(await browser.json('/fields')).toEqual({ cart: 'mine', user: 'ada' });
    // Somebody else may: the refused login has left nothing in the way.
    await before.json('/login/grace');
    expect(await before.json('/fields')).toEqual({ user: 'grace' });
  } finally {
    await site.stop();
    await server.stop();
  }
});
