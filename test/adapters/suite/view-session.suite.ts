import { describe, expect, it } from 'vitest';
import { createToken, sessionOf } from '../../../src/index.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import { Gate, type Pages } from './adapter-site.ts';
import { asking, fail, ViewsStage } from './views-stage.ts';

const pages: Pages = {
  a: asking(({ handle }) => handle?.id),
  identify: asking(({ session }) => session.identify('ada')),
  rotate: asking(({ session }) => session.rotate()),
  logout: asking(({ destroy }) => destroy()),
  'logout-and-fail': async ({ destroy }) => {
    await destroy();
    fail();
  },
  login: asking(async (context) => {
    await context.regenerate();
    context.session.user = 'ada';
  }),
  regenerate: asking(({ regenerate }) => regenerate()),
};

/** Whose a page view is that counts at the end: the session's that the request has then. */
export function testViewSession(stage: AdapterStage): void {
  describe('the session of a view', () => {
    const views = new ViewsStage(stage, pages);
    /** Last parts of the keys that a session has. */
    const keysOf = async (token: string): Promise<(string | undefined)[]> => {
      const keys = await stage.redis.command<string[]>('KEYS', `*:${sessionOf(token)}:*`);
      return keys.map((key) => key.split(':').at(-1)).sort();
    };
    /** A header without data, which keeps late requests from reviving the session, and an empty record. */
    const ENDED = ['k', 's'];

    it.each(['/rotate', '/identify'])('is the same one: %s', async (path) => {
      const visitor = await views.begun(await views.open());
      const { token } = visitor;
      expect(await views.sentBy(() => visitor.get(path))).toBe(1);
      expect(await views.totalOf(token)).toBe(1);
    });

    it('is the new one after a login by regenerate', async () => {
      const visitor = await views.begun(await views.open());
      const before = visitor.token;
      expect(await views.sentBy(() => visitor.get('/login'))).toBe(1);
      expect(sessionOf(visitor.token)).not.toBe(sessionOf(before));
      expect(await views.totalOf(visitor.token)).toBe(1);
      expect(await keysOf(before)).toEqual(ENDED);
    });

    it('is a new visitor’s, whose cookie is on the answer', async () => {
      const visitor = stage.visitor(await views.open());
      expect(await views.sentBy(() => visitor.get('/a'))).toBe(1);
      expect(await views.totalOf(visitor.token)).toBe(1);
    });

    it('is the new one after a logout by regenerate: the browser has its cookie', async () => {
      const visitor = await views.begun(await views.open());
      const before = visitor.token;
      expect(await views.sentBy(() => visitor.get('/regenerate'))).toBe(1);
      expect(await views.totalOf(visitor.token)).toBe(1);
      expect(await keysOf(before)).toEqual(ENDED);
    });

    it.each(['/logout', '/logout-and-fail'])('is none after a logout, and nothing comes back: %s', async (path) => {
      const visitor = await views.begun(await views.open());
      const { token } = visitor;
      await visitor.get('/a');
      expect(await views.totalOf(token)).toBe(1);
      expect(await views.sentBy(() => visitor.get(path))).toBe(0);
      expect(await keysOf(token)).toEqual(ENDED);
    });

    it.each(['/logout', '/login'])('is none where another request of it has ended it meanwhile: %s', async (path) => {
      const gate = new Gate();
      const site = await views.open({}, { ...pages, slow: asking(() => gate.pass()) });
      const visitor = await views.begun(site);
      const { token } = visitor;
      const slow = visitor.twin().get('/slow');
      await gate.arrived();
      await visitor.get(path, { 'sec-fetch-dest': 'empty' });
      gate.open();
      // It is sent, and finds the empty record.
      expect(await views.sentBy(() => slow)).toBe(1);
      expect(await views.totalOf(token)).toBe(0);
      expect(await keysOf(token)).toEqual(ENDED);
    });

    it('is none where a login elsewhere had to end it meanwhile', async () => {
      const gate = new Gate();
      const site = await stage.open({
        pages: { ...pages, slow: asking(() => gate.pass()) },
        client: views.client,
        store: { maxSessionsPerUser: 1, onSessionLimit: 'end-oldest' },
      });
      const [first, second] = [await views.begun(site), await views.begun(site)];
      await first.get('/identify');
      const slow = first.twin().get('/slow');
      await gate.arrived();
      await second.get('/identify', { 'sec-fetch-dest': 'empty' });
      gate.open();
      expect(await views.sentBy(() => slow)).toBe(1);
      expect(await views.totalOf(first.token)).toBe(0);
      expect(await keysOf(first.token)).toEqual(ENDED);
    });

    it('is the bearer’s, whatever becomes of the cookie’s', async () => {
      const site = await views.open();
      const [visitor, token] = [await views.begun(site), createToken()];
      await site.store.data.save(token, {});
      const headers = { authorization: `Bearer ${token}` };
      expect(await views.sentBy(() => visitor.get('/logout', headers))).toBe(1);
      expect(await views.totalOf(token)).toBe(1);
    });
  });
}
