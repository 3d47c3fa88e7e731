import { describe, expect, it } from 'vitest';
import { createToken, personOf, sessionOf } from '../../../src/index.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import type { Pages } from './adapter-site.ts';
import { asking, fail, ViewsStage } from './views-stage.ts';

const pages: Pages = {
  a: asking(({ handle }) => handle?.id),
  identify: asking(({ session }, user = 'ada') => session.identify(user)),
  rotate: asking(({ session }) => session.rotate()),
  logout: asking(({ destroy }) => destroy()),
  'logout-and-fail': async ({ destroy }) => {
    await destroy();
    fail();
  },
  login: asking(async (context, user = 'ada') => {
    await context.regenerate();
    await context.session.identify(user);
  }),
  regenerate: asking(({ regenerate }) => regenerate()),
};

/** Whose a page view is that counts at the end: whom the request acts for then. */
export function testViewSession(stage: AdapterStage): void {
  describe('whose a view is', () => {
    const views = new ViewsStage(stage, pages);

    it.each(['/a', '/rotate', '/regenerate', '/logout'])(
      'the visitor’s, whatever the session does: %s',
      async (path) => {
        const visitor = await views.begun(await views.open());
        const { visitorId } = visitor;
        expect(await views.sentBy(() => visitor.get(path))).toBe(1);
        expect(visitor.visitorId).toBe(visitorId);
        expect(await views.totalOf(visitor)).toBe(1);
      },
    );

    it('a new visitor’s, whose cookie is on the answer', async () => {
      const visitor = stage.visitor(await views.open());
      expect(await views.sentBy(() => visitor.get('/a'))).toBe(1);
      expect(await views.totalOf(visitor)).toBe(1);
    });

    it.each(['identify', 'login'])('the person’s who has logged in within it: /%s', async (path) => {
      const visitor = await views.begun(await views.open());
      const user = `${path}-of-a-view`;
      const { visitorId } = visitor;
      expect(await views.sentBy(() => visitor.get(`/${path}/${user}`))).toBe(1);
      expect(await views.totalOf(visitorId)).toBe(0);
      expect(await views.totalOf(personOf(user))).toBe(1);
      expect(await views.sentBy(() => visitor.get('/a'))).toBe(1);
      expect(await views.totalOf(personOf(user))).toBe(2);
    });

    it.each(['/logout', '/logout-and-fail', '/regenerate'])('nobody’s where the person logs out: %s', async (path) => {
      const visitor = await views.begun(await views.open());
      await visitor.get('/identify/bob');
      const before = await views.totalOf(personOf('bob'));
      expect(await views.sentBy(() => visitor.get(path))).toBe(0);
      expect(await views.totalOf(personOf('bob'))).toBe(before);
    });

    it('the bearer’s, whatever becomes of the cookie’s session', async () => {
      const site = await views.open();
      const [visitor, token] = [await views.begun(site), createToken()];
      await site.store.data.save(token, {});
      const headers = { authorization: `Bearer ${token}` };
      expect(await views.sentBy(() => visitor.get('/logout', headers))).toBe(1);
      expect(await views.totalOf(sessionOf(token))).toBe(1);
      expect(await views.totalOf(visitor)).toBe(0);
    });
  });
}
