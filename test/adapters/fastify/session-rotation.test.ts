import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SessionStore } from '../../../src/adapters/fastify/index.ts';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { fieldsOf, Gate, type Site, type SiteOptions, Sites } from './fastify-stage.ts';

let server: TestRedis;
let sites: Sites;

beforeAll(async () => {
  server = await startTestRedis();
  sites = new Sites({ redis: server.url, deadlineMs: 20_000 });
});
afterAll(() => server?.stop());
afterEach(() => sites.close());

/** A site with `/rotate`, and `/slow`, which waits at the gate and changes what it is told to. */
function open(options: Parameters<Sites['open']>[0] & { gate?: Gate } = {}): Promise<Site> {
  return sites.open({
    ...options,
    routes: (app, store) => {
      app.get('/rotate', async (request) => {
        await store.rotate(request, { grace: Object.hasOwn(request.query as object, 'grace') });
        return { rotated: true, user: fieldsOf(request).user, session: store.info(request)?.session };
      });
      app.get<{ Querystring: { set?: string } }>('/slow', async (request) => {
        await options.gate?.pass();
        if (request.query.set) fieldsOf(request).slow = request.query.set;
        return { byPreviousSecret: store.info(request)?.byPreviousSecret };
      });
      options.routes?.(app, store);
    },
  });
}

describe('rotate', () => {
  it.each<[string, SiteOptions['session']]>([
    ['rolling', {}],
    ['without rolling', { rolling: false }],
    ['saving nothing unless it is changed', { rolling: false, saveUninitialized: false }],
    ['with a prefix', { cookiePrefix: 's:' }],
  ])('gives another token for the same session, %s', async (_, session) => {
    const site = await open({ session: session! });
    const browser = site.browser();
    await browser.get('/login/ada');
    const { cookie, token } = browser;
    const { body, setCookies } = await browser.get('/rotate');
    expect(body).toEqual({ rotated: true, user: 'ada', session: sessionOf(token.replace(/^s:/, '')) });
    expect(setCookies).toHaveLength(1);
    expect(browser.cookie).not.toBe(cookie);
    expect(sessionOf(browser.token.replace(/^s:/, ''))).toBe(sessionOf(token.replace(/^s:/, '')));
    expect((await browser.get('/me')).body.user).toBe('ada');
    expect((await browser.get('/rotate')).body.rotated).toBe(true);
    expect((await browser.get('/me')).body.user).toBe('ada');
  });

  it('saves in the same request what was changed before and after it', async () => {
    const site = await open({
      routes: (app, store) => {
        app.get('/promote', async (request) => {
          fieldsOf(request).before = 1;
          await store.rotate(request);
          fieldsOf(request).after = 2;
          return {};
        });
      },
    });
    const browser = site.browser();
    await browser.get('/login/ada');
    await browser.get('/promote');
    expect(site.store.data.valuesOf((await site.store.data.load(browser.token))!)).toMatchObject({
      user: 'ada',
      before: 1,
      after: 2,
    });
  });

  it('begins with a new session as well, and takes over one with a token of another form', async () => {
    const fresh = await open();
    const visitor = fresh.browser();
    expect((await visitor.get('/rotate')).body.rotated).toBe(true);
    expect((await visitor.get('/login/bob')).status).toBe(200);
    expect((await visitor.get('/me')).body.user).toBe('bob');

    const site = await open({ session: { idGenerator: () => crypto.randomUUID() } });
    const browser = site.browser();
    await browser.get('/login/ada');
    const session = sessionOf(browser.token);
    await browser.get('/rotate');
    expect(browser.token.startsWith(`${session}.`)).toBe(true);
    expect((await browser.get('/me')).body.user).toBe('ada');
  });

  it('with a grace the old cookie reads what was there before, changes nothing and gets no cookie', async () => {
    const site = await open();
    const browser = site.browser();
    await browser.get('/login/ada');
    const late = site.browser(browser.cookie);
    await browser.get('/rotate?grace');
    await browser.get('/login/grace');
    expect((await late.get('/me')).body.user).toBe('ada');
    const { body, setCookies } = await late.get('/slow?set=late');
    expect(body).toEqual({ byPreviousSecret: true });
    expect(setCookies).toEqual([]);
    expect(await late.get('/rotate')).toMatchObject({ status: 409, setCookies: [] });
    expect(await late.get('/logout')).toMatchObject({ status: 409, setCookies: [] });
    const values = site.store.data.valuesOf((await site.store.data.load(browser.token))!);
    expect(values).toMatchObject({ user: 'grace' });
    expect(values).not.toHaveProperty('slow');
  });

  it('is refused once the headers are sent, and the visitor stays who they are', async () => {
    const outcomes: unknown[] = [];
    const site = await open({
      routes: (app, store) => {
        app.get('/too-late', async (request, reply) => {
          reply.hijack();
          reply.raw.write('at ');
          outcomes.push(await store.rotate(request).catch((error: Error) => error));
          reply.raw.end('last');
        });
      },
    });
    const browser = site.browser();
    await browser.get('/login/ada');
    expect((await browser.get('/too-late')).text).toBe('at last');
    expect(outcomes).toEqual([expect.any(TypeError)]);
    expect((await browser.get('/me')).body.user).toBe('ada');
  });

  it('with a grace the old cookie is told no user, by whom it could ask for what is there now', async () => {
    const site = await open({
      routes: (app, store) => {
        app.get('/identify', async (request) => ({ ended: await store.identify(request, 'ada') }));
        app.get('/info', async (request) => ({ ...store.info(request), field: fieldsOf(request).user }));
      },
    });
    const browser = site.browser();
    await browser.get('/login/ada');
    await browser.get('/identify');
    const old = site.browser(browser.cookie);
    expect((await old.get('/info')).body).toMatchObject({ userId: 'ada' });
    await browser.get('/rotate?grace');
    const { body } = await old.get('/info');
    expect(body).toMatchObject({ byPreviousSecret: true, field: 'ada' });
    expect(body).not.toHaveProperty('userId');
    expect((await browser.get('/info')).body).toMatchObject({ userId: 'ada' });
  });

  it.each(['before', 'after', 'in the grace of'])(
    'a logout by a request that came %s it says that it ended nothing; regenerate goes on',
    async (when) => {
      for (const path of ['/slow-logout', '/slow-regenerate', '/slow-regenerate-callback']) {
        const gate = new Gate();
        const site = await open({
          routes: (app) => {
            app.get('/slow-logout', async (request) => {
              await gate.pass();
              await request.session.destroy();
              return {};
            });
            app.get('/slow-regenerate', async (request) => {
              await gate.pass();
              await request.session.regenerate();
              return {};
            });
            app.get('/slow-regenerate-callback', async (request) => {
              await gate.pass();
              await new Promise<void>((resolve, reject) => {
                request.session.regenerate((error) => (error ? reject(error) : resolve()));
              });
              return {};
            });
          },
        });
        const browser = site.browser();
        await browser.get('/login/ada');
        const old = site.browser(browser.cookie);
        const slow = when === 'before' ? old.get(path) : undefined;
        if (slow) await gate.reached;
        await browser.get(when === 'in the grace of' ? '/rotate?grace' : '/rotate');
        gate.open();
        const { status, body, setCookies } = await (slow ?? old.get(path));
        if (path === '/slow-logout') expect([status, body.code, setCookies]).toEqual([409, 'SESSION_GONE', []]);
        else expect([status, setCookies.length]).toEqual([200, 1]);
        expect((await browser.get('/me')).body.user).toBe('ada');
        expect((await browser.get('/logout')).status).toBe(200);
        expect((await browser.get('/me')).body.user).toBeUndefined();
        expect((await browser.get('/logout')).status).toBe(200);
      }
    },
  );

  it.each(['', '?grace'])('twice%s in one request: the cookie of before takes no cookie away', async (query) => {
    const site = await open({
      routes: (app, store) => {
        app.get('/twice', async (request) => {
          const grace = Object.hasOwn(request.query as object, 'grace');
          await store.rotate(request, { grace });
          await store.rotate(request, { grace });
          return {};
        });
      },
    });
    const browser = site.browser();
    await browser.get('/login/ada');
    const old = site.browser(browser.cookie);
    expect((await browser.get(`/twice${query}`)).setCookies).toHaveLength(1);
    const { body, setCookies } = await old.get('/me');
    expect([body.user, setCookies]).toEqual([query ? 'ada' : undefined, []]);
    expect((await browser.get('/me')).body.user).toBe('ada');
  });

  it('remembers the old cookie for a while only: then it is a stranger, who gets a session', async () => {
    const site = await open({ store: { graceMs: 150 } });
    const browser = site.browser();
    await browser.get('/login/ada');
    const late = site.browser(browser.cookie);
    await browser.get('/rotate');
    await waitUntil('that', async () => (await site.store.data.find(late.token)) === undefined);
    expect((await late.get('/login/bob')).setCookies).toHaveLength(1);
    expect((await late.get('/me')).body.user).toBe('bob');
    expect((await browser.get('/me')).body.user).toBe('ada');
  });

  it.each([
    ['nothing', ''],
    ['a field', '?set=slow'],
  ])('sends no cookie to a request that began before it and changed %s', async (_, query) => {
    const gate = new Gate();
    const site = await open({ gate });
    const browser = site.browser();
    await browser.get('/login/ada');
    const answer = site.browser(browser.cookie).get(`/slow${query}`);
    await gate.reached;
    await browser.get('/rotate');
    gate.open();
    expect(await answer).toMatchObject({ status: 200, setCookies: [] });
    const values = site.store.data.valuesOf((await site.store.data.load(browser.token))!);
    expect(values).toMatchObject({ user: 'ada' });
    expect(values).not.toHaveProperty('slow');
  });

  it('sends none either where another process has rotated', async () => {
    const gate = new Gate();
    const [site, other] = [await open({ gate }), await open()];
    const browser = site.browser();
    await browser.get('/login/ada');
    const answer = site.browser(browser.cookie).get('/slow');
    await gate.reached;
    await other.browser(browser.cookie).get('/rotate');
    gate.open();
    expect(await answer).toMatchObject({ status: 200, setCookies: [] });
  });

  it('rotates once where two requests want to', async () => {
    const site = await open();
    const browser = site.browser();
    await browser.get('/login/ada');
    const browsers = [site.browser(browser.cookie), site.browser(browser.cookie)];
    const answers = await Promise.all(browsers.map((one) => one.get('/rotate')));
    expect(answers.map(({ status }) => status)).toContain(200);
    const users: unknown[] = [];
    for (const [i, { status, setCookies }] of answers.entries()) {
      expect([status, setCookies.length]).toEqual(status === 200 ? [200, 1] : [409, 0]);
      users.push((await browsers[i]!.get('/me')).body.user);
    }
    expect(users.filter((user) => user === 'ada')).toHaveLength(1);
  });

  it('leaves other cookies of the response alone, and lets a new session have its own', async () => {
    const site = await open({
      routes: (app) => {
        app.get('/other', async (_request, reply) => {
          reply.setCookie('theme', 'dark');
          reply.clearCookie('banner');
          return {};
        });
        app.get('/regenerate', async (request) => {
          await request.session.regenerate();
          return {};
        });
      },
    });
    const browser = site.browser();
    await browser.get('/login/ada');
    const late = site.browser(browser.cookie);
    await browser.get('/rotate');
    const { setCookies } = await late.get('/other');
    expect(setCookies.map((header) => header.split('=')[0]).toSorted()).toEqual(['banner', 'theme']);
    expect((await late.get('/regenerate')).setCookies).toHaveLength(1);
    expect(late.token).not.toContain(sessionOf(browser.token));
  });

  it('clears no cookie of the session either, where the site has another signing key by now', async () => {
    const [older, newer] = ['an older secret of the tests, long enough', 'a newer secret of the tests, long enough'];
    const lazy = { rolling: false, saveUninitialized: false };
    const before = await open({ session: { ...lazy, secret: [older] } });
    const browser = before.browser();
    await browser.get('/login/ada');
    const { cookie } = browser;
    const site = await open({ session: { ...lazy, secret: [newer, older] } });
    for (const [query, user] of [
      ['?grace', 'ada'],
      ['', undefined],
    ] as const) {
      const late = browser.cookie!;
      await browser.get(`/rotate${query}`);
      const { body, setCookies } = await site.browser(late).get('/me');
      expect(body.user).toBe(user);
      expect(setCookies).toEqual([]);
    }
    expect(browser.cookie).not.toBe(cookie);
  });

  it('needs the plugin', async () => {
    const site = await open({ plugin: false });
    const browser = site.browser();
    await browser.get('/login/ada');
    const { status, text } = await browser.get('/rotate');
    expect(status).toBe(500);
    expect(text).toContain('app.register(sessionwise');
    expect((await browser.get('/me')).body.user).toBe('ada');
  });

  it('changes nothing where the session keeps its token in a way that is not known', async () => {
    const store = new SessionStore({ redis: server.url, deadlineMs: 20_000, sweep: false });
    try {
      const token = createToken();
      await store.data.save(token, { user: 'ada' });
      const session = { [Symbol('sessionId')]: token, sessionId: token, encryptedSessionId: 'x' };
      const request = { session, headers: {} };
      store.attach(request as never, { setCookie() {}, clearCookie() {} } as never);
      await expect(store.rotate(request as never)).rejects.toThrow('version 11');
      expect(await store.data.isCurrent(token)).toBe(true);
    } finally {
      await store.close();
    }
  });
});
