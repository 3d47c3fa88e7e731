import { describe, expect, it } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import { fieldsOf, type Pages } from './adapter-site.ts';

const pages: Pages = {
  set: ({ session }, name, value) => {
    session[name!] = value;
  },
  fields: ({ session }) => fieldsOf(session),
  logout: ({ destroy }) => destroy(),
  regenerate: async (context) => {
    await context.regenerate();
    context.session.fresh = true;
  },
};

/** How sessions begin, are found again and end. */
export function testLife(stage: AdapterStage): void {
  describe('life', () => {
    it.each(stage.adapter.settings)(
      'keeps each visitor their session, in another process too: %s',
      async (_, settings) => {
        const site = await stage.open({ settings, pages });
        const [one, other] = [stage.visitor(site), stage.visitor(site)];
        await one.page('/set/name/one');
        await other.page('/set/name/other');
        const { cookie } = one;
        for (let i = 0; i < 3; i += 1) {
          expect(await one.page('/fields')).toEqual({ name: 'one' });
          expect(await other.page('/fields')).toEqual({ name: 'other' });
        }
        expect(one.cookie).toBe(cookie);
        const elsewhere = await stage.open({ settings, pages });
        expect(await one.twin(elsewhere).page('/fields')).toEqual({ name: 'one' });
      },
    );

    it('sets as many cookies as its settings say', async () => {
      for (const [, settings] of stage.adapter.settings) {
        const visitor = stage.visitor(await stage.open({ settings, pages }));
        expect((await visitor.get('/set/name/ada')).setCookies).toHaveLength(1);
        const again = stage.adapter.setsAgain(settings);
        expect((await visitor.get('/fields')).setCookies).toHaveLength(again === 'always' ? 1 : 0);
        expect((await visitor.get('/set/name/grace')).setCookies).toHaveLength(again === 'never' ? 0 : 1);
      }
    });

    it('makes tokens of ours, and serves those of another form', async () => {
      const ours = stage.visitor(await stage.open({ pages }));
      await ours.page('/set/a/1');
      expect(ours.token).toMatch(/^[0-9a-z]{25}\.[A-Za-z0-9_-]{43}$/);
      const site = await stage.open({ pages, genid: () => crypto.randomUUID() });
      const foreign = stage.visitor(site);
      await foreign.page('/set/a/1');
      expect(foreign.token).toHaveLength(36);
      expect(await foreign.page('/fields')).toEqual({ a: '1' });
      expect(await site.store.data.sessions()).toContain(sessionOf(foreign.token));
    });

    it('logout ends the session for good; its cookie is a stranger afterwards', async () => {
      const site = await stage.open({ pages });
      const visitor = stage.visitor(site);
      await visitor.page('/set/name/ada');
      const { cookie, token } = visitor;
      await visitor.page('/logout');
      expect(await site.store.data.load(token)).toBeUndefined();
      const again = stage.visitor(site, cookie);
      expect(await again.page('/fields')).toEqual({});
      await again.page('/set/name/again');
      expect(again.cookie).not.toBe(cookie);
    });

    it('regenerate begins another session with nothing of the old one, which ends', async () => {
      const site = await stage.open({ pages });
      const visitor = stage.visitor(site);
      await visitor.page('/set/name/ada');
      const { token, cookie } = visitor;
      expect((await visitor.get('/regenerate')).setCookies).toHaveLength(1);
      expect(sessionOf(visitor.token)).not.toBe(sessionOf(token));
      expect(await visitor.page('/fields')).toEqual({ fresh: true });
      expect(await site.store.data.load(token)).toBeUndefined();
      expect(await stage.visitor(site, cookie).page('/fields')).toEqual({});
    });

    it('a forged cookie, or a made-up secret, is a new visitor and no error', async () => {
      const site = await stage.open({ pages });
      const visitor = stage.visitor(site);
      await visitor.page('/set/name/ada');
      const { name, sign } = stage.adapter.cookies;
      const madeUp = sign(createToken(sessionOf(visitor.token)));
      for (const cookie of [
        `${visitor.cookie}x`,
        `${name}=${sessionOf(visitor.token)}`,
        `${name}=`,
        `${name}=%`,
        madeUp,
      ]) {
        expect(await stage.visitor(site, cookie).page('/fields')).toEqual({});
      }
      expect(await visitor.page('/fields')).toEqual({ name: 'ada' });
    });

    it.each(['/fields', '/logout', '/regenerate'])(
      "another's public id from a client ends nobody: %s",
      async (path) => {
        const site = await stage.open({ pages, takesIds: true });
        const victim = stage.visitor(site);
        await victim.page('/set/name/ada');
        const id = sessionOf(victim.token);
        for (const headers of [{}, { 'x-id': id }]) {
          for (const cookie of [stage.adapter.cookies.sign(id), undefined]) {
            expect((await stage.visitor(site, cookie).get(path, headers)).text).not.toContain('ada');
          }
        }
        expect(await victim.page('/fields')).toEqual({ name: 'ada' });
      },
    );
  });
}
