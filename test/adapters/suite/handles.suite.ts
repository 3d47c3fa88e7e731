import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createToken, SessionClient, sessionOf } from '../../../src/index.ts';
import { type Service, startService } from '../../../src/service/index.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import type { Page, Site, SiteOptions, SiteRequest } from './adapter-site.ts';

/** What a page was given. */
interface Told {
  readonly id?: string;
  readonly own?: string;
  readonly view?: { readonly totalPages: number };
}

const tell: Page = async ({ handle, ownToken }) => ({ id: handle?.id, own: ownToken, view: await handle?.visit() });
const pages = { '': tell, a: tell, b: tell, critical: tell, off: tell, pages: tell };

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** Handles and page views: the middleware of each adapter. */
export function testHandles(stage: AdapterStage): void {
  // A service of their own: beside others' tests it would write.
  describe('handles', () => testWithService(stage));
}

function testWithService(stage: AdapterStage): void {
  let service: Service;
  let client: SessionClient;

  beforeAll(async () => {
    service = await startService({ redis: stage.server.url, secret: 'a secret of the tests, long enough' });
    client = new SessionClient({ redis: stage.server.url, deadlineMs: 20_000 });
    expect(await client.ready()).toBe(true);
  });
  afterAll(async () => {
    await client?.close();
    await service?.stop();
  });

  const open = (
    handle: SiteOptions['handle'] = {},
    more: Partial<Omit<SiteOptions, 'store'>> & { store?: object } = {},
  ): Promise<Site> => stage.open({ pages, client, handle, ...more });
  const ask = async (site: Site, path: string, headers: Record<string, string> = {}): Promise<Told> => {
    const { status, body } = await stage.visitor(site).get(path, headers);
    expect(status).toBe(200);
    return body as Told;
  };
  /** The views that the service has counted for a session. */
  const viewsOf = async (id: string): Promise<number> => (await client.session(id).figures())!.totalPages;

  describe('a page view', () => {
    it('is published, and the handle is attached', async () => {
      const { id, own, view } = await ask(await open(), '/a?b=c');
      expect(id).toBe(sessionOf(own!));
      expect(view).toMatchObject({ totalPages: 1, uniquePages: 1, previouslyVisited: false, newToSite: true });
      await waitUntil('it is counted', async () => (await viewsOf(id!)) === 1);
      expect(await client.session(id!).unseen(['/a', '/b'])).toEqual(['/b']);
    });

    it('is told to the page, where it counts at the start', async () => {
      const visitor = stage.visitor(await open({ pageview: 'request' }));
      expect(await visitor.page('/a')).toMatchObject({ view: { totalPages: 1, newToSite: true } });
      expect(await visitor.page('/a')).toMatchObject({ view: { totalPages: 2, previouslyVisited: true } });
    });

    it('is counted, asked for or left out as a function says', async () => {
      const site = await open({
        pageview: ({ url }) => (url === '/critical' ? 'request' : url === '/off' ? 'off' : 'publish'),
      });
      const visitor = stage.visitor(site, stage.adapter.cookies.sign(await begun(site)));
      expect(await visitor.page('/off')).toMatchObject({ view: { totalPages: 0 } });
      expect(await visitor.page('/critical')).toMatchObject({ view: { totalPages: 1 } });
      const { id, view } = (await visitor.page('/a')) as Told;
      expect(view).toMatchObject({ totalPages: 2 });
      await waitUntil('it is counted', async () => (await viewsOf(id!)) === 2);
    });

    it.each<[string, Record<string, string>]>([
      ['a prefetch', { 'sec-purpose': 'prefetch' }],
      ['a prerender', { 'sec-purpose': 'prefetch;prerender' }],
      ['an old prefetch', { purpose: 'prefetch' }],
      ['an old preview', { 'x-purpose': 'preview' }],
      ['an image', { 'sec-fetch-dest': 'image' }],
      ['a script', { 'sec-fetch-dest': 'script' }],
      ['a fetch', { 'sec-fetch-dest': 'empty' }],
      ['a frame', { 'sec-fetch-dest': 'iframe' }],
    ])('is not %s, though that has its handle', async (_, headers) => {
      const site = await open({ pageview: 'request' });
      const token = await begun(site);
      const cookie = stage.adapter.cookies.sign(token);
      const { id, view } = await ask(site, '/a', { cookie, ...headers });
      expect([id, view?.totalPages]).toEqual([sessionOf(token), 0]);
      // The next one is the first that counts.
      expect((await ask(site, '/a', { cookie })).view).toMatchObject({ totalPages: 1, newToSite: true });
    });

    it('is what the site says is one', async () => {
      const site = await open({ pageview: 'request', isPageview: ({ url }) => url!.startsWith('/pages') });
      const token = await begun(site);
      expect((await ask(site, '/a', bearer(token))).view).toMatchObject({ totalPages: 0 });
      expect((await ask(site, '/pages', { ...bearer(token), 'sec-fetch-dest': 'image' })).view).toMatchObject({
        totalPages: 1,
      });
    });

    it.each(['publish', 'request'] as const)(
      'fails no page where the service and Redis are away (%s)',
      async (pageview) => {
        const away = new SessionClient({ redis: 'unix:///nowhere/redis.sock' });
        onTestFinished(() => away.close());
        const site = await open({ pageview }, { client: away });
        for (let i = 0; i < 20; i += 1) {
          const { id, own, view } = await ask(site, '/a');
          expect([id, view]).toEqual([sessionOf(own!), undefined]);
        }
        // The question, and the view where it counts at the end: where it counts at the start, its answer is asked for.
        const { requests, publishes } = away.counters;
        expect([requests, publishes]).toEqual([20, pageview === 'publish' ? 20 : 0]);
      },
    );
  });

  describe('the token', () => {
    it('is a bearer token before it is a cookie', async () => {
      const site = await open();
      await site.store.data.save('api-key-7', {});
      const visitor = stage.visitor(site);
      const { id } = (await visitor.page('/a')) as Told;
      expect((await visitor.get('/a', bearer('api-key-7'))).body).toMatchObject({ id: sessionOf('api-key-7') });
      expect(await visitor.page('/a')).toMatchObject({ id });
    });

    it('is what the site says it is', async () => {
      const token = ({ headers }: SiteRequest) => headers['x-api-key'] as string | undefined;
      const site = await open({ token });
      expect((await ask(site, '/a', { 'x-api-key': 'k1', ...bearer('other') })).id).toBe(sessionOf('k1'));
      expect((await ask(site, '/a', { 'x-api-key': '' })).id).toBeUndefined();
      expect((await ask(site, '/a', bearer('other'))).id).toBeUndefined();
    });

    it.each<[string, () => string]>([
      ['of our own form', () => createToken()],
      ['of another form', () => randomUUID()],
    ])('%s, as a bearer token, counts while the store knows its secret', async (_, make) => {
      const site = await open({}, { store: { graceMs: 0 } });
      const [rotated, ended] = [make(), make()];
      for (const token of [rotated, ended]) {
        await site.store.data.save(token, { user: 'ada' });
        expect((await ask(site, '/a', bearer(token))).id).toBe(sessionOf(token));
      }
      const next = await site.store.data.rotate(rotated);
      await site.store.data.end(ended);
      for (const token of [rotated, ended, make(), createToken(sessionOf(next))]) {
        expect((await ask(site, '/a', bearer(token))).id).toBeUndefined();
      }
      expect((await ask(site, '/a', bearer(next))).id).toBe(sessionOf(rotated));
      // In a grace a replaced secret reads, but acts for nobody.
      await site.store.data.rotate(next, { grace: true });
      expect((await ask(site, '/a', bearer(next))).id).toBeUndefined();
    });

    it('of our own form that somebody made up is nobody, though a function of the site lets it through', async () => {
      const token = ({ headers }: SiteRequest) => /^Bearer (.*)/.exec(String(headers.authorization))?.[1];
      const site = await open({ token, pageview: 'request' });
      const own = createToken();
      await site.store.data.save(own, { user: 'ada' });
      expect((await ask(site, '/a', bearer(createToken(sessionOf(own))))).id).toBeUndefined();
      expect(await ask(site, '/a', bearer(own))).toMatchObject({ id: sessionOf(own), view: { totalPages: 1 } });
    });

    it('as a bearer token renews its session', async () => {
      const site = await open({}, { store: { touchEveryMs: 1 } });
      const token = createToken();
      await site.store.data.save(token, { user: 'ada' });
      const { expiresAt } = site.store.data.infoOf((await site.store.data.load(token))!);
      await waitUntil('it is renewed', async () => {
        expect((await ask(site, '/a', bearer(token))).id).toBe(sessionOf(token));
        return site.store.data.infoOf((await site.store.data.load(token))!).expiresAt > expiresAt;
      });
    });

    it('leaves an error of the page, and of a function of the site, to the site', async () => {
      const fail = (): never => {
        throw Object.assign(new Error('of the site'), { status: 418, statusCode: 418 });
      };
      const token = createToken();
      for (const [handle, page] of [
        [{}, fail],
        [{ isPageview: fail }, tell],
        [{ pageview: fail }, tell],
      ] as const) {
        const site = await open(handle, { pages: { a: page } });
        await site.store.data.save(token, {});
        for (const headers of [bearer(token), {}]) {
          const answer = await stage.visitor(site).get('/a', headers);
          expect(answer).toMatchObject({ status: 418, body: { message: 'of the site' } });
        }
      }
    });
  });

  describe.each(stage.adapter.anonymous)('a visitor who has done nothing yet: %s', (_, settings) => {
    it('keeps one session', async () => {
      const visitor = stage.visitor(await open({ pageview: 'request' }, { settings }));
      const first = await visitor.get('/a');
      expect(first.setCookies).toHaveLength(1);
      for (let views = 2; views <= 4; views += 1) {
        const next = await visitor.get('/b');
        expect(next.body).toMatchObject({ id: (first.body as Told).id, view: { totalPages: views, newToSite: false } });
        if (stage.adapter.setsAgain(settings) !== 'always') expect(next.setCookies).toEqual([]);
      }
    });
  });

  it('a visitor who has done nothing yet is a new one each time where the site wants no marker', async () => {
    const [, settings] = stage.adapter.anonymous.find(([name]) => name !== 'saving what is empty')!;
    const visitor = stage.visitor(await open({ trackAnonymous: false }, { settings }));
    const [first, second] = [await visitor.get('/a'), await visitor.get('/a')];
    expect(first.setCookies).toEqual([]);
    expect((first.body as Told).id).not.toBe((second.body as Told).id);
  });
}

/** The token of a session that is there. */
async function begun({ store }: Site): Promise<string> {
  const token = createToken();
  await store.data.save(token, { user: 'ada' });
  return token;
}
