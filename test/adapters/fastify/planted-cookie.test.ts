import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sessionOf } from '../../../src/protocol/index.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { type Browser, fieldsOf, type Site, type SiteOptions, Sites } from './fastify-stage.ts';

/* Somebody gave a visitor's browser a cookie that they know themselves, and waited for the login. */

// With `rolling` each answer sets the cookie; without it, the library clears one that it does not know.
const settings: [string, NonNullable<SiteOptions['session']>][] = [
  ['rolling', {}],
  ['saving nothing unless it is changed', { rolling: false, saveUninitialized: false }],
  ['with a prefix', { cookiePrefix: 's:' }],
  ['with tokens of another form', { idGenerator: () => crypto.randomUUID() }],
];

describe.each(settings)('a cookie that was known before the login, in Fastify, %s', (_, session) => {
  let server: TestRedis;
  let sites: Sites;
  let site: Site;
  let victim: Browser;
  let attacker: Browser;
  let planted: string;

  beforeAll(async () => {
    server = await startTestRedis();
    sites = new Sites({ redis: server.url, deadlineMs: 20_000 });
  });
  afterAll(() => server?.stop());
  afterEach(() => sites.close());
  beforeEach(async () => {
    site = await sites.open({
      session,
      routes: (app, store) => {
        app.get<{ Params: { user: string } }>('/real-login/:user', async (request) => {
          await store.rotate(request);
          await store.identify(request, request.params.user);
          fieldsOf(request).user = request.params.user;
          return {};
        });
        app.get('/rotated-twice', async (request) => {
          await store.rotate(request, { grace: true });
          await store.identify(request, 'ada');
          await store.rotate(request);
          return {};
        });
        app.get('/identify-only', async (request) => {
          await store.identify(request, 'eve');
          fieldsOf(request).user = 'eve';
          return {};
        });
        app.get<{ Params: { user: string } }>('/regenerate/:user', async (request) => {
          await request.session.regenerate();
          fieldsOf(request).user = request.params.user;
          return {};
        });
        app.get('/fields', async (request) => {
          const { cookie: __, ...fields } = JSON.parse(JSON.stringify(request.session)) as Record<string, unknown>;
          return { fields, info: store.info(request) ?? null, handle: request.session.sessionId };
        });
        app.get<{ Params: { value: string } }>('/cart/:value', async (request) => {
          fieldsOf(request).cart = request.params.value;
          return {};
        });
        app.get('/save', async (request) => {
          fieldsOf(request).planted = true;
          await request.session.save();
          return {};
        });
        app.get('/reload', async (request) => {
          await request.session.reload();
          fieldsOf(request).planted = true;
          return {};
        });
        app.get('/increment', async (request) => ({ n: await store.increment(request, 'n') }));
        app.get('/append', async (request) => ({ n: await store.append(request, 'list', 1) }));
        app.get('/set-if', async (request) => ({ n: await store.setIf(request, 1, { planted: true }) }));
      },
    });
    victim = site.browser();
    await victim.get('/cart/before');
    planted = victim.cookie!;
    attacker = site.browser(planted);
    expect((await attacker.get('/fields')).body.fields).toMatchObject({ cart: 'before' });
    await victim.get('/real-login/ada');
    attacker.cookie = planted;
  });

  const victimStands = async (): Promise<void> => {
    const { fields, info } = (await victim.get('/fields')).body;
    expect(fields).toMatchObject({ cart: 'before', user: 'ada' });
    expect(fields).not.toHaveProperty('planted');
    expect(info).toMatchObject({ userId: 'ada' });
  };

  it('reads nothing of the session, gets no cookie and clears none', async () => {
    const { text, setCookies, body } = await attacker.get('/fields');
    expect(body.fields).not.toHaveProperty('cart');
    expect(text).not.toMatch(/before|ada/);
    expect(text).not.toContain(sessionOf(victim.token.replace(/^s:/, '')));
    expect(setCookies).toEqual([]);
    await victimStands();
  });

  it.each(['/cart/planted', '/save', '/reload', '/logout', '/increment', '/append', '/set-if'])(
    '%s changes nothing, and gets no cookie',
    async (path) => {
      const { status, setCookies } = await attacker.get(path);
      expect(setCookies).toEqual([]);
      expect([200, 409]).toContain(status);
      await victimStands();
    },
  );

  it.each(['/real-login/eve', '/regenerate/eve', '/identify-only'])('%s begins a session of its own', async (path) => {
    expect((await attacker.get(path)).setCookies).toHaveLength(1);
    const { fields } = (await attacker.get('/fields')).body;
    expect(fields).toMatchObject({ user: 'eve' });
    expect(fields).not.toHaveProperty('cart');
    expect(sessionOf(attacker.token.replace(/^s:/, ''))).not.toBe(sessionOf(victim.token.replace(/^s:/, '')));
    await victimStands();
  });

  it('nothing is saved for it, however often it comes', async () => {
    const before = (await site.store.data.sessions()).length;
    for (let i = 0; i < 20; i += 1) {
      attacker.cookie = planted;
      await attacker.get(`/cart/${i}`);
    }
    expect(await site.store.data.sessions()).toHaveLength(before);
  });

  it('a login that rotates twice: requests of before take no cookie away', async () => {
    const browser = site.browser();
    await browser.get('/cart/mine');
    const before = browser.cookie!;
    await browser.get('/rotated-twice');
    for (const path of ['/fields', '/cart/late', '/fields']) {
      const { status, setCookies, text } = await site.browser(before).get(path);
      expect(status).toBe(200);
      expect(setCookies).toEqual([]);
      expect(text).not.toMatch(/mine|ada/);
    }
    const now = browser.cookie!;
    await browser.get('/real-login/ada');
    expect((await site.browser(now).get('/cart/late')).setCookies).toEqual([]);
    expect((await browser.get('/fields')).body.fields).toMatchObject({ cart: 'mine', user: 'ada' });
  });

  it("other requests of the visitor's page, before, beside and behind the login, take no cookie away", async () => {
    const browser = site.browser();
    await browser.get('/cart/mine');
    const before = browser.cookie!;
    const page = (i: number) => site.browser(before).get(i % 3 ? '/fields' : `/cart/${i}`);
    const others = Array.from({ length: 15 }, (_unused, i) => page(i));
    const login = browser.get('/real-login/grace');
    others.push(...Array.from({ length: 15 }, (_unused, i) => page(i)));
    await login;
    others.push(...Array.from({ length: 15 }, (_unused, i) => page(i)));
    for (const { status, setCookies } of await Promise.all(others)) {
      expect(status).toBe(200);
      for (const cookie of setCookies) expect(cookie.split(';')[0]).toBe(before);
    }
    expect((await browser.get('/fields')).body.fields).toMatchObject({ user: 'grace' });
  });
});

it.each(settings)('a login form that was sent twice, in Fastify with one session a user, %s', async (_, session) => {
  const server = await startTestRedis();
  const sites = new Sites({ redis: server.url, deadlineMs: 20_000, maxSessionsPerUser: 1, onSessionLimit: 'refuse' });
  try {
    const site = await sites.open({
      session,
      routes: (app, store) => {
        app.get<{ Params: { user: string } }>('/real-login/:user', async (request) => {
          await store.rotate(request);
          await store.identify(request, request.params.user);
          fieldsOf(request).user = request.params.user;
          return {};
        });
      },
    });
    const browser = site.browser();
    await browser.get('/login/nobody');
    const before = browser.cookie!;
    await browser.get('/real-login/ada');
    expect(await site.browser(before).get('/real-login/ada')).toMatchObject({ status: 409, setCookies: [] });
    expect((await browser.get('/me')).body.user).toBe('ada');
    // Somebody else may: the refused login has left nothing in the way.
    const other = site.browser(before);
    expect((await other.get('/real-login/grace')).setCookies).toHaveLength(1);
    expect((await other.get('/me')).body.user).toBe('grace');
  } finally {
    await sites.close();
    await server.stop();
  }
});
