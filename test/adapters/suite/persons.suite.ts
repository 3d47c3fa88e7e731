import { beforeEach, describe, expect, it } from 'vitest';
import { personOf, type SessionClient } from '../../../src/index.ts';
import { type Heard, StagedService } from '../../support/staged-service.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import { Gate, type Page, type Pages, type SiteOptions, type SiteRequest, type Visitor } from './adapter-site.ts';
import { savingNothing, visitorCookie } from './visitors.suite.ts';

/** A page that asks, and tells as whom. */
const ask: Page = async ({ handle }) => {
  await handle?.request('combo', '');
  return { id: handle?.id ?? null };
};
const pages: Pages = {
  a: ask,
  quiet: ({ handle }) => ({ id: handle?.id ?? null }),
  browser: async ({ handle }) => {
    await handle?.session.request('combo', '');
    return { id: handle?.session.id ?? null };
  },
  login: async (context, user) => {
    await context.session.rotate();
    await context.session.identify(user!);
    return ask(context);
  },
  'regenerating-login': async (context, user) => {
    await context.regenerate();
    await context.session.identify(user!);
    return ask(context);
  },
  logout: ({ destroy }) => destroy(),
  'regenerating-logout': ({ regenerate }) => regenerate(),
  // As a site does it that keeps its session's id, and the user in a field.
  'set-user': ({ session }, user) => {
    session.user = user;
  },
  'remove-user': ({ session }) => {
    delete session.user;
  },
};
const USER_FIELD = {
  user: (request: SiteRequest) => (request as { session?: { user?: string } }).session?.user,
};
const LOGINS: readonly (readonly [string, NonNullable<SiteOptions['handle']>, string, string])[] = [
  ['our store’s identify', {}, '/login', '/logout'],
  ['our store’s identify behind regenerate', {}, '/regenerating-login', '/regenerating-logout'],
  ['a field of the session, whose id stays', USER_FIELD, '/set-user', '/remove-user'],
];

/** Who is logged in: as whom pages ask, and what becomes of the visitor of before. The service is played, so that the test
 *  decides whether and when it answers `identify`. */
export function testPersons(stage: AdapterStage): void {
  describe('a person', () => {
    let service: StagedService;
    let client: SessionClient;
    /** How `identify` is answered: at once, not at all, or when the gate is opened. */
    let answersIdentify: boolean;

    beforeEach(async () => {
      answersIdentify = true;
      service = new StagedService(stage.redis, ({ command, payload }) => {
        if (command !== 'identify') return [];
        return answersIdentify ? { from: payload, merged: true } : { error: { code: 'internal', message: 'not now' } };
      });
      client = await service.open({ redis: stage.server.url });
    });

    const visit = async (handle: NonNullable<SiteOptions['handle']>, more: Pages = {}): Promise<Visitor> => {
      const settings = savingNothing(stage);
      return stage.visitor(await stage.open({ pages: { ...pages, ...more }, client, handle, settings }));
    };
    const identified = (): Heard[] => service.heard.filter(({ command }) => command === 'identify');

    describe.each(LOGINS)('by %s', (_, handle, login, logout) => {
      it('is asked as from the login on; the visitor is merged into them, once, and their cookie goes', async () => {
        const visitor = await visit(handle);
        await visitor.page('/a');
        const { visitorId } = visitor;
        await visitor.page(`${login}/ada`);
        for (let i = 0; i < 3; i += 1) expect(await visitor.page('/a')).toEqual({ id: personOf('ada') });
        expect(visitor.visitorCookie).toBeUndefined();
        expect(identified()).toEqual([{ command: 'identify', session: personOf('ada'), payload: visitorId }]);
      });

      it('leaves a new visitor behind a logout, at once, whether the merging was acknowledged or not', async () => {
        for (answersIdentify of [true, false]) {
          const visitor = await visit(handle);
          await visitor.page('/a');
          const { visitorId } = visitor;
          await visitor.page(`${login}/ada`);
          await visitor.page('/a');
          expect(visitor.visitorCookie).toEqual(
            answersIdentify ? undefined : expect.stringMatching(/^sessionwise=[\w-]{32}\.p[0-9a-z]{8}$/),
          );
          await visitor.page(logout);
          const { id } = (await visitor.page('/a')) as { id: string };
          expect([visitorId, personOf('ada')]).not.toContain(id);
          expect(id).toBe(visitor.visitorId);
          expect(await visitor.page('/a')).toEqual({ id });
        }
      });

      it('of a second user at the browser has nothing of the first one’s, nor the first one’s visitor', async () => {
        answersIdentify = false;
        const visitor = await visit(handle);
        await visitor.page('/a');
        await visitor.page(`${login}/ada`);
        await visitor.page('/a');
        await visitor.page(logout);
        await visitor.page('/a');
        const between = visitor.visitorId;
        await visitor.page(`${login}/bob`);
        expect(await visitor.page('/a')).toEqual({ id: personOf('bob') });
        const bobs = identified().filter(({ session }) => session === personOf('bob'));
        expect(new Set(bobs.map(({ payload }) => payload))).toEqual(new Set([between]));
      });

      it('on a second device is asked as at once, and nothing is merged there', async () => {
        const visitor = await visit(handle);
        await visitor.page(`${login}/ada`);
        const second = visitor.twin();
        second.visitorCookie = undefined;
        const before = identified().length;
        expect(await second.get('/a')).toMatchObject({ visitorCookies: [], body: { id: personOf('ada') } });
        expect(identified()).toHaveLength(before);
      });
    });

    it('is asked as for the rest of the request that identifies the session', async () => {
      for (const path of ['/login/ada', '/regenerating-login/ada']) {
        const visitor = await visit({});
        await visitor.page('/a');
        expect(await visitor.page(path)).toEqual({ id: personOf('ada') });
        // The answer came before the head.
        expect(visitor.visitorCookie).toBeUndefined();
      }
      expect(identified()).toHaveLength(2);
    });

    it('is who the site’s function says, under its id, whomever the session is given to', async () => {
      const both: Page = async (context, user) => {
        context.session.user = user;
        await context.session.identify('42');
        return ask(context);
      };
      const user = (request: SiteRequest): string | undefined => {
        const name = USER_FIELD.user(request);
        return name && `${name}@shop.example`;
      };
      const visitor = await visit({ user }, { both });
      await visitor.page('/a');
      const { visitorId } = visitor;
      const ada = personOf('ada@shop.example');
      expect(await visitor.page('/both/ada')).toEqual({ id: ada });
      expect(await visitor.page('/a')).toEqual({ id: ada });
      expect(identified()).toEqual([{ command: 'identify', session: ada, payload: visitorId }]);
      expect(service.heard.map(({ session }) => session)).not.toContain(personOf('42'));
    });

    it('is nobody where the site’s function says so, though the session is given to a user', async () => {
      const visitor = await visit({ user: () => undefined });
      await visitor.page('/a');
      const { visitorId: id } = visitor;
      for (const path of ['/login/ada', '/a']) expect(await visitor.page(path)).toEqual({ id });
      expect(identified()).toEqual([]);
    });

    it('is merged into by a page that asks nothing, too', async () => {
      const visitor = await visit({});
      await visitor.page('/a');
      await visitor.page('/login/ada');
      expect(visitor.visitorCookie).toBeUndefined();
      visitor.visitorCookie = visitorCookie();
      const [{ visitorId }, before] = [visitor, identified().length];
      const { replies } = client.counters;
      await visitor.page('/quiet');
      await waitUntil('it is acknowledged', () => client.counters.replies > replies);
      await visitor.page('/quiet');
      expect(visitor.visitorCookie).toBeUndefined();
      expect(identified().slice(before)).toEqual([
        { command: 'identify', session: personOf('ada'), payload: visitorId },
      ]);
    });

    it('whose answer comes behind the head has a pending cookie, which another process merges again', async () => {
      const gate = new Gate();
      const slow: Page = async ({ sendHead, handle }) => {
        sendHead();
        await gate.pass();
        await handle?.request('combo', '');
      };
      const visitor = await visit(USER_FIELD, { slow });
      await visitor.page('/a');
      const { visitorId } = visitor;
      await visitor.page('/set-user/ada');
      answersIdentify = false;
      const answer = visitor.get('/slow');
      await gate.arrived();
      answersIdentify = true;
      gate.open();
      expect((await answer).visitorCookies).toEqual([]);
      expect(visitor.visitorCookie).toMatch(/\.p[0-9a-z]{8}$/);
      const elsewhere = await visit(USER_FIELD);
      const before = identified().length;
      elsewhere.cookie = visitor.cookie;
      elsewhere.visitorCookie = visitor.visitorCookie;
      expect(await elsewhere.page('/a')).toEqual({ id: personOf('ada') });
      expect(identified().slice(before)).toMatchObject([{ payload: visitorId }]);
      expect(elsewhere.visitorCookie).toBeUndefined();
    });

    it('has nobody as the browser beside them while the cookie is only to be merged', async () => {
      answersIdentify = false;
      const visitor = await visit({});
      await visitor.page('/a');
      const { visitorId } = visitor;
      await visitor.page('/login/ada');
      const before = service.heard.length;
      expect(visitor.visitorCookie).toMatch(/\.p[0-9a-z]{8}$/);
      expect(await visitor.page('/browser')).toEqual({ id: null });
      expect(service.heard.slice(before).map(({ session }) => session)).not.toContain(visitorId);
    });

    it('is never merged into by a cookie that is pending for somebody else', async () => {
      answersIdentify = false;
      const visitor = await visit(USER_FIELD);
      await visitor.page('/a');
      await visitor.page('/set-user/ada');
      await visitor.page('/a');
      const pending = visitor.visitorCookie;
      const before = identified().length;
      // A site that changes users in one request, by a way that we do not see.
      await visitor.get('/set-user/bob', { authorization: 'Bearer x' });
      expect(visitor.visitorCookie).toBe(pending);
      expect(await visitor.page('/a')).toEqual({ id: personOf('bob') });
      expect(identified()).toHaveLength(before);
      expect(visitor.visitorCookie).toBeUndefined();
    });

    it('is asked about by no cookie that a visitor makes up', async () => {
      const visitor = await visit({});
      for (const value of [personOf('ada'), `${personOf('ada')}.p12345678`, `${'a'.repeat(32)}.p12345678`]) {
        visitor.visitorCookie = `sessionwise=${value}`;
        const { id } = (await visitor.page('/a')) as { id: string };
        expect(id).toBe(visitor.visitorId);
      }
      expect(service.heard.map(({ session }) => session)).not.toContain(personOf('ada'));
    });

    it('is not known, and nothing merged, by consent for the session', async () => {
      const visitor = await visit({ ...USER_FIELD, consent: () => 'session' });
      const ids = [((await visitor.page('/a')) as { id: string }).id];
      for (const [path, user] of [
        ['/set-user/ada', 'ada'],
        ['/set-user/bob', 'bob'],
        ['/remove-user', ''],
      ] as const) {
        await visitor.page(path);
        const { id } = (await visitor.page('/a')) as { id: string };
        expect([user, await visitor.page('/a')]).toEqual([user, { id }]);
        expect(visitor.visitorCookie).toMatch(user === '' ? /=[\w-]{32}$/ : /\.p[0-9a-z]{8}$/);
        ids.push(id);
      }
      expect(new Set(ids).size).toBe(4);
      expect(ids.filter((id) => id.endsWith('_'))).toEqual([]);
      expect(identified()).toEqual([]);
    });

    it.each(['', ' ', 'undefined', 'null', 'NaN', '[object Object]', 7, {}, true, 'x'.repeat(1_025)])(
      'is none by an id that is a mistake, and the error says so: %j',
      async (given) => {
        const visitor = await visit({ user: () => given as never });
        const answer = await visitor.get('/a');
        expect(answer).toMatchObject({
          status: 500,
          body: { message: expect.stringMatching(/user returned no user id/) },
        });
        expect(service.heard).toEqual([]);
      },
    );

    it.each([undefined, null])('is none where the function answers %s', async (given) => {
      const visitor = await visit({ user: () => given });
      expect(await visitor.page('/a')).toEqual({ id: visitor.visitorId });
    });
  });
}
