import { beforeEach, describe, expect, it } from 'vitest';
import { sessionOf } from '../../../src/protocol/index.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import { fieldsOf, type Pages, type Site, type Visitor } from './adapter-site.ts';

const pages: Pages = {
  cart: ({ session }, value) => {
    session.cart = value;
  },
  fields: ({ session }) => fieldsOf(session),
  info: ({ session }) => session.info() ?? null,
  devices: ({ session }) => session.info()?.userId ?? null,
  login: async (context, user) => {
    await context.session.rotate();
    await context.session.identify(user!);
    context.session.user = user;
  },
  'identify-only': async (context, user) => {
    await context.session.identify(user!);
    context.session.user = user;
  },
  'rotated-twice': async (context) => {
    await context.session.rotate({ grace: true });
    await context.session.identify('ada');
    await context.session.rotate();
  },
  'failing-login': ({ session }) => session.identify('').catch((error: Error) => error.name),
  regenerate: async (context, user) => {
    await context.regenerate();
    context.session.user = user;
  },
  logout: ({ destroy }) => destroy(),
  increment: ({ session }) => session.increment('n'),
  append: ({ session }) => session.append('list', 1),
  'set-if': ({ session }) => session.setIf(session.info()?.version ?? 0, { planted: true }),
  reload: async (context) => {
    await context.reload();
    context.session.planted = true;
  },
  save: async ({ session, save }) => {
    session.planted = true;
    await save();
  },
};

/** A cookie that somebody gave a visitor's browser, and so knows themselves, before the visitor's login. */
export function testPlantedCookie(stage: AdapterStage): void {
  describe.each(stage.adapter.settings)('a cookie that was known before the login: %s', (name, settings) => {
    let site: Site;
    let victim: Visitor;
    let attacker: Visitor;

    beforeEach(async () => {
      site = await stage.open({ pages, settings });
      victim = stage.visitor(site);
      await victim.page('/cart/before');
      attacker = victim.twin();
      expect(await attacker.twin().page('/fields')).toEqual({ cart: 'before' });
      await victim.page('/login/ada');
    });

    const victimStands = async (): Promise<void> => {
      expect(await victim.page('/fields')).toEqual({ cart: 'before', user: 'ada' });
      expect(await victim.page('/info')).toMatchObject({ userId: 'ada' });
    };

    it('reads nothing of the session, gets no cookie and clears none', async () => {
      expect(await attacker.get('/fields')).toMatchObject({ body: {}, setCookies: [] });
      expect(await attacker.get('/devices')).toMatchObject({ body: null, setCookies: [] });
      expect((await attacker.get('/info')).text).not.toContain(sessionOf(victim.token));
      await victimStands();
    });

    it('changes nothing by any page, and gets no cookie', async () => {
      for (const path of [
        '/cart/planted',
        '/save',
        '/reload',
        '/logout',
        '/increment',
        '/append',
        '/set-if',
        '/failing-login',
      ]) {
        const { status, setCookies } = await attacker.twin().get(path);
        expect([path, setCookies]).toEqual([path, []]);
        // express-session reports a reload that finds no session as an error.
        if (path !== '/reload') expect([200, 409]).toContain(status);
      }
      await victimStands();
    });

    it.each(['/login/eve', '/regenerate/eve', '/identify-only/eve'])('%s begins a session of its own', async (path) => {
      expect((await attacker.get(path)).setCookies).toHaveLength(1);
      expect(await attacker.page('/fields')).toEqual({ user: 'eve' });
      expect(sessionOf(attacker.token)).not.toBe(sessionOf(victim.token));
      await victimStands();
    });

    it('nothing is saved for it, however often it comes', async () => {
      const before = (await site.store.data.sessions()).length;
      for (let i = 0; i < 20; i += 1) await attacker.twin().get(`/cart/${i}`);
      expect(await site.store.data.sessions()).toHaveLength(before);
    });

    it('a login that rotates twice: requests of before take no cookie away', async () => {
      const browser = stage.visitor(site);
      await browser.page('/cart/mine');
      const slow = browser.twin();
      await browser.page('/rotated-twice');
      for (const path of ['/fields', '/cart/late', '/fields']) {
        const { status, setCookies, text } = await slow.twin().get(path);
        expect([status, setCookies]).toEqual([200, []]);
        expect(text).not.toMatch(/mine|ada/);
      }
      expect(await browser.page('/fields')).toEqual({ cart: 'mine' });
      // The next request's rotation remembers the secret that it came with.
      const next = browser.twin();
      await browser.page('/login/ada');
      expect((await next.get('/cart/late')).setCookies).toEqual([]);
      expect(await browser.page('/fields')).toEqual({ cart: 'mine', user: 'ada' });
    });

    it("other requests of the visitor's page, before, beside and behind the login, take no cookie away", async () => {
      const elsewhere = await stage.open({ pages, settings });
      const browser = stage.visitor(site);
      await browser.page('/cart/mine');
      const before = browser.twin();
      const ask = (i: number) => before.twin(i % 2 ? site : elsewhere).get(i % 3 ? '/fields' : `/cart/${i}`);
      const fifteen = () => Array.from({ length: 15 }, (_unused, i) => ask(i));
      const others = fifteen();
      const login = browser.page('/login/grace');
      others.push(...fifteen());
      await login;
      others.push(...fifteen());
      for (const { status, setCookies } of await Promise.all(others)) {
        expect(status).toBe(200);
        for (const cookie of setCookies) expect(cookie.split(';')[0]).toBe(before.cookie);
      }
      expect(await browser.page('/fields')).toMatchObject({ user: 'grace' });
    });

    it('a login form that was sent twice, with one session a user: the second is refused and leaves nothing', async () => {
      const strict = {
        maxSessionsPerUser: 1,
        onSessionLimit: 'refuse',
        namespace: `once${stage.adapter.settings.findIndex(([each]) => each === name)}`,
      };
      const once = await stage.open({ pages, settings, store: strict });
      const browser = stage.visitor(once);
      await browser.page('/cart/mine');
      const before = browser.twin();
      await browser.page('/login/ada');
      expect(await before.twin().get('/login/ada')).toMatchObject({ status: 409, setCookies: [] });
      expect(await browser.page('/fields')).toEqual({ cart: 'mine', user: 'ada' });
      // Somebody else may: the refused login has left nothing in the way.
      expect((await before.get('/login/grace')).setCookies).toHaveLength(1);
      expect(await before.page('/fields')).toEqual({ user: 'grace' });
    });
  });
}
