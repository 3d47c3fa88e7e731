import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SessionStore } from '../../../src/adapters/fastify/index.ts';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { Gate, type Site, Sites } from './fastify-stage.ts';

const server = useRedis({ eachTest: 'kept' });
let sites: Sites;

beforeAll(async () => {
  sites = new Sites({ redis: server.url, deadlineMs: 20_000 });
});
afterEach(() => sites.close());

/** A site with `/rotate`. */
function open(options: Parameters<Sites['open']>[0] = {}): Promise<Site> {
  return sites.open({
    ...options,
    routes: (app, store) => {
      app.get('/rotate', async (request) => {
        await store.rotate(request, { grace: Object.hasOwn(request.query as object, 'grace') });
        return {};
      });
      options.routes?.(app, store);
    },
  });
}

describe('rotate', () => {
  it.each(['before', 'after', 'in the grace of'])(
    'regenerate with a callback goes on in a request that came %s it',
    async (when) => {
      const gate = new Gate();
      const site = await open({
        routes: (app) => {
          app.get('/slow-regenerate', async (request) => {
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
      const slow = when === 'before' ? old.get('/slow-regenerate') : undefined;
      if (slow) await gate.reached;
      await browser.get(when === 'in the grace of' ? '/rotate?grace' : '/rotate');
      gate.open();
      expect(await (slow ?? old.get('/slow-regenerate'))).toMatchObject({
        status: 200,
        setCookies: [expect.any(String)],
      });
      expect((await browser.get('/me')).body.user).toBe('ada');
    },
  );

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
