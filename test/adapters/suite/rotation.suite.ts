import { beforeEach, describe, expect, it } from 'vitest';
import type { SessionInfo } from '../../../src/adapters/index.ts';
import { sessionOf } from '../../../src/protocol/index.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import { fieldsOf, Gate, type Pages, type Site, type Visitor } from './adapter-site.ts';

/** Rotation: the same session under another secret, and requests that still come with the old one. */
export function testRotation(stage: AdapterStage): void {
  describe('rotation', () => {
    let gate = new Gate();
    const slowly =
      (name: string): Pages[string] =>
      async (context, ...params) => {
        await gate.pass();
        return pages[name]!(context, ...params);
      };
    const pages: Pages = {
      set: ({ session }, name, value) => {
        session[name!] = value;
      },
      fields: ({ session }) => fieldsOf(session),
      info: ({ session }) => session.info() ?? null,
      identify: ({ session }) => session.identify('ada'),
      rotate: ({ session, query }) => session.rotate({ grace: query.has('grace') }),
      rotateAndSet: async (context, name) => {
        await context.session.rotate();
        context.session[name!] = 1;
      },
      twice: async (context) => {
        const grace = context.query.has('grace');
        await context.session.rotate({ grace });
        context.session.since = 1;
        await context.session.rotate({ grace });
      },
      logout: ({ destroy }) => destroy(),
      regenerate: async (context) => {
        await context.regenerate();
        context.session.fresh = 1;
      },
      tooLate: async ({ session, sendHead }) => {
        sendHead();
        outcomes.push(await session.rotate().catch((error: Error) => error));
      },
      slowSet: slowly('set'),
      slowFields: slowly('fields'),
      slowRotate: slowly('rotate'),
      slowLogout: slowly('logout'),
      slowRegenerate: slowly('regenerate'),
    };
    const outcomes: unknown[] = [];
    /** A visitor whose session is saved. */
    const visit = async (site: Site): Promise<Visitor> => {
      const visitor = stage.visitor(site);
      await visitor.page('/set/name/ada');
      return visitor;
    };
    beforeEach(() => {
      gate = new Gate();
    });

    it.each(stage.adapter.settings)('replaces the cookie once; session and data stay: %s', async (_, settings) => {
      const visitor = await visit(await stage.open({ pages, settings }));
      const before = (await visitor.page('/info')) as SessionInfo;
      const { cookie } = visitor;
      expect((await visitor.get('/rotate')).setCookies).toHaveLength(1);
      expect(visitor.cookie).not.toBe(cookie);
      expect(visitor.token.startsWith(`${before.session}.`)).toBe(true);
      const { session, createdAt } = (await visitor.page('/info')) as SessionInfo;
      expect([session, createdAt]).toEqual([before.session, before.createdAt]);
      expect((await visitor.get('/rotate')).setCookies).toHaveLength(1);
      expect(await visitor.page('/fields')).toEqual({ name: 'ada' });
    });

    it('begins with a new session as well, and saves what was changed before and after it', async () => {
      const visitor = stage.visitor(await stage.open({ pages }));
      expect((await visitor.get('/rotateAndSet/fresh')).setCookies).toHaveLength(1);
      expect(await visitor.page('/fields')).toEqual({ fresh: 1 });
      expect((await visitor.get('/twice')).setCookies).toHaveLength(1);
      expect(await visitor.page('/fields')).toEqual({ fresh: 1, since: 1 });
    });

    it.each(['', '?grace'])('twice%s in one request: the cookie of before takes no cookie away', async (query) => {
      for (const [, settings] of stage.adapter.settings) {
        const visitor = await visit(await stage.open({ pages, settings }));
        const old = visitor.twin();
        await visitor.page(`/twice${query}`);
        expect(await old.get('/fields')).toMatchObject({ body: query ? { name: 'ada' } : {}, setCookies: [] });
        expect((await old.get('/set/name/planted')).setCookies).toEqual([]);
        expect((await old.get('/rotate')).status).toBe(query ? 409 : 200);
        expect(await visitor.page('/fields')).toEqual({ name: 'ada', since: 1 });
        // In another request the cookie that was sent is the previous one.
        const sent = visitor.twin();
        await visitor.page('/rotate');
        expect(await sent.get('/fields')).toMatchObject({ body: {}, setCookies: [] });
      }
    });

    describe.each(stage.adapter.settings)('and slow requests: %s', (_, settings) => {
      it.each(['before', 'after'])('one that began %s it gets no cookie, and changes nothing', async (when) => {
        const visitor = await visit(await stage.open({ pages, settings }));
        const paths = ['/slowSet/late/1', '/slowFields'];
        gate = new Gate(paths.length);
        const old = paths.map(() => visitor.twin());
        const ask = () => paths.map((path, i) => old[i]!.get(path));
        let slow = when === 'before' ? ask() : [];
        if (when === 'before') await gate.arrived();
        await visitor.page('/rotate');
        if (when === 'after') slow = ask();
        gate.open();
        for (const answer of slow) expect(await answer).toMatchObject({ status: 200, setCookies: [] });
        expect(await visitor.page('/fields')).toEqual({ name: 'ada' });
      });

      it('nor where another process has rotated', async () => {
        const [one, other] = [await stage.open({ pages, settings }), await stage.open({ pages, settings })];
        const visitor = await visit(one);
        gate = new Gate(2);
        const slow = ['/slowSet/late/1', '/slowFields'].map((path) => visitor.twin().get(path));
        await gate.arrived();
        const elsewhere = visitor.twin(other);
        await elsewhere.page('/rotate');
        gate.open();
        for (const answer of slow) expect(await answer).toMatchObject({ status: 200, setCookies: [] });
        expect(await elsewhere.page('/fields')).toEqual({ name: 'ada' });
      });

      it('a process that has rotated sends cookies again when another has rotated since', async () => {
        const [one, other] = [await stage.open({ pages, settings }), await stage.open({ pages, settings })];
        const visitor = await visit(one);
        await visitor.page('/rotate');
        const elsewhere = visitor.twin(other);
        await elsewhere.page('/rotate');
        const { setCookies } = await elsewhere.twin(one).get('/set/color/blue');
        expect(setCookies).toHaveLength(stage.adapter.setsAgain(settings) === 'never' ? 0 : 1);
      });
    });

    it('with a grace the old secret reads the data of before, changes nothing, and is told no user', async () => {
      for (const [, settings] of stage.adapter.settings) {
        const visitor = await visit(await stage.open({ pages, settings }));
        await visitor.page('/identify');
        const old = visitor.twin();
        expect(await old.page('/info')).toMatchObject({ userId: 'ada' });
        await visitor.page('/rotate?grace');
        await visitor.page('/set/since/secret');
        expect(await old.get('/fields')).toMatchObject({ body: { name: 'ada' }, setCookies: [] });
        const info = await old.page('/info');
        expect(info).toMatchObject({ byPreviousSecret: true });
        expect(info).not.toHaveProperty('userId');
        expect(await old.get('/set/name/planted')).toMatchObject({ status: 200, setCookies: [] });
        for (const path of ['/rotate', '/logout']) {
          expect(await old.get(path)).toMatchObject({ status: 409, setCookies: [] });
        }
        expect(await visitor.page('/fields')).toEqual({ name: 'ada', since: 'secret' });
        expect(await visitor.page('/info')).toMatchObject({ userId: 'ada' });
      }
    });

    it('is refused once the headers are sent, and the visitor stays who they are', async () => {
      const visitor = await visit(await stage.open({ pages }));
      expect((await visitor.get('/tooLate')).text).toBe('at last');
      expect(outcomes.splice(0)).toEqual([expect.any(TypeError)]);
      expect(await visitor.page('/fields')).toEqual({ name: 'ada' });
    });

    describe.each(['before', 'after', 'in the grace of'])('a request that came %s it', (when) => {
      const rotateAround = async (visitor: Visitor, path: string) => {
        const old = visitor.twin();
        const slow = when === 'before' ? old.get(path) : undefined;
        if (slow) await gate.arrived();
        await visitor.page(when === 'in the grace of' ? '/rotate?grace' : '/rotate');
        // Others come with the old secret meanwhile.
        await old.twin().get('/fields');
        gate.open();
        return { answer: await (slow ?? old.get(path)), old };
      };

      it('is told that its logout ended nothing', async () => {
        const site = await stage.open({ pages });
        const visitor = await visit(site);
        const { answer } = await rotateAround(visitor, '/slowLogout');
        expect(answer).toMatchObject({ status: 409, body: { code: 'SESSION_GONE' }, setCookies: [] });
        expect(await visitor.page('/fields')).toEqual({ name: 'ada' });
        const { cookie } = visitor;
        expect((await visitor.get('/logout')).status).toBe(200);
        // By then the token is nobody's, and to log out twice is no error.
        const again = stage.visitor(site, cookie);
        expect(await again.page('/fields')).toEqual({});
        expect((await stage.visitor(site, cookie).get('/logout')).status).toBe(200);
      });

      it('gets a session of its own by regenerate', async () => {
        const visitor = await visit(await stage.open({ pages }));
        const { answer, old } = await rotateAround(visitor, '/slowRegenerate');
        expect([answer.status, answer.setCookies.length]).toEqual([200, 1]);
        expect(await old.page('/fields')).toEqual({ fresh: 1 });
        expect(await visitor.page('/fields')).toEqual({ name: 'ada' });
      });
    });

    it('by a request that another one has overtaken fails, and the visitor stays who they are', async () => {
      const visitor = await visit(await stage.open({ pages }));
      const slow = visitor.twin().get('/slowRotate');
      await gate.arrived();
      await visitor.page('/rotate');
      gate.open();
      expect(await slow).toMatchObject({ status: 409, setCookies: [] });
      expect(await visitor.page('/fields')).toEqual({ name: 'ada' });
    });

    it('is no longer remembered after a while: then the old cookie is a stranger, and no error', async () => {
      const site = await stage.open({ pages, store: { graceMs: 150 } });
      const visitor = await visit(site);
      const old = visitor.twin();
      await visitor.page('/rotate');
      await waitUntil('that', async () => (await site.store.data.find(old.token)) === undefined);
      expect((await old.get('/set/name/stranger')).setCookies).toHaveLength(1);
      expect(await old.page('/fields')).toEqual({ name: 'stranger' });
      expect(sessionOf(old.token)).not.toBe(sessionOf(visitor.token));
      expect(await visitor.page('/fields')).toEqual({ name: 'ada' });
    });

    it('20 logins at once by one cookie: each that succeeds has a session that holds what it set', async () => {
      const visitor = await visit(await stage.open({ pages }));
      const twins = Array.from({ length: 20 }, () => visitor.twin());
      const answers = await Promise.all(twins.map((twin, i) => twin.get(`/rotateAndSet/f${i}`)));
      const owned: unknown[] = [];
      for (const [i, { status, setCookies }] of answers.entries()) {
        expect([status, setCookies.length]).toEqual(status === 200 ? [200, 1] : [409, 0]);
        if (status !== 200) continue;
        const fields = (await twins[i]!.page('/fields')) as Record<string, unknown>;
        expect(fields[`f${i}`]).toBe(1);
        if (fields.name === 'ada') owned.push(i);
      }
      // The session of before is one login's, and no other's.
      expect(owned).toHaveLength(1);
    });
  });
}
