import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createToken, personOf, SessionClient, sessionOf } from '../../../src/index.ts';
import { type Service, startService } from '../../../src/service/index.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import type { Page, Site, SiteOptions, SiteRequest } from './adapter-site.ts';

/** What a page was given. */
interface Told {
  readonly id?: string;
  /** Views of before; undefined where nothing answered. */
  readonly views?: number;
}

const tell: Page = async ({ handle }) => ({
  id: handle?.id,
  views: (await handle?.request('session-analytics', ''))?.totalPages,
});
const pages = { '': tell, a: tell, b: tell, off: tell, pages: tell };

// Functions of a site that has not read the types. What the promise fails with must not end the process.
const promise = (async () => {
  throw new Error('of the promise');
}) as never;
const nothing = (() => undefined) as never;

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
  describe('a page view', () => {
    it('is counted, and the handle is that of the visitor’s cookie', async () => {
      const visitor = stage.visitor(await open());
      const first = (await visitor.page('/a?b=c')) as Told;
      // What was counted is seen by the next page.
      expect(first).toEqual({ id: visitor.visitorId, views: 0 });
      expect(await visitor.page('/b')).toEqual({ id: visitor.visitorId, views: 1 });
      expect(await client.session(first.id!).request('surface', ['/a', '/b', '/c'])).toEqual(['/c']);
    });

    it('counts before the page where the site wants it so', async () => {
      const visitor = stage.visitor(await open({ countWhen: 'start' }));
      expect(await visitor.page('/a')).toMatchObject({ views: 1 });
      expect(await visitor.page('/a')).toMatchObject({ views: 2 });
    });

    it('is counted or left out as a function says', async () => {
      const site = await open({ pageview: ({ url }) => (url === '/off' ? 'off' : 'server') });
      const visitor = stage.visitor(site);
      await visitor.page('/off');
      expect(await visitor.page('/a')).toMatchObject({ views: 0 });
      expect(await visitor.page('/off')).toMatchObject({ views: 1 });
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
      const visitor = stage.visitor(await open());
      await visitor.page('/a');
      expect((await visitor.get('/a', headers)).body).toEqual({ id: visitor.visitorId, views: 1 });
      expect(await visitor.page('/a')).toMatchObject({ views: 1 });
    });

    it.each<[string, SiteOptions['handle'], RegExp]>([
      ['track', { track: promise }, /track returned a promise: return true or false/],
      ['track', { track: nothing }, /track returned a value of type undefined: return true or false/],
      ['isPageview', { isPageview: promise }, /isPageview returned a promise: return true or false/],
      ['isPageview', { isPageview: nothing }, /isPageview returned a value of type undefined/],
      ['pageview', { pageview: promise }, /pageview returned a promise: return "server", "browser" or "off"/],
      ['pageview', { pageview: () => 'bogus' as never }, /pageview returned a value of type string/],
      ['pageview', { pageview: () => 'browser' }, /pageview returned "browser", which needs the script/],
      ['consent', { consent: promise }, /consent returned a promise: return "all", "session" or "none"/],
      ['user', { user: promise }, /user returned a promise: return the id of the user, or undefined/],
      ['token', { token: promise }, /token returned a promise: return a text, or undefined/],
      ['token', { token: () => 42 as never }, /token returned a value of type number/],
    ])(
      'fails where a function of the site returns what cannot be used, and says why: %s',
      async (_, handle, message) => {
        const answer = await stage.visitor(await open(handle)).get('/a');
        expect(answer).toMatchObject({ status: 500, body: { message: expect.stringMatching(message) } });
      },
    );

    it('is what the site says is one', async () => {
      const visitor = stage.visitor(await open({ isPageview: ({ url }) => url!.startsWith('/pages') }));
      await visitor.page('/a');
      await visitor.get('/pages', { 'sec-fetch-dest': 'image' });
      expect(await visitor.page('/a')).toMatchObject({ views: 1 });
    });

    it('fails no page where the service and Redis are away', async () => {
      const away = new SessionClient({ redis: 'unix:///nowhere/redis.sock' });
      onTestFinished(() => away.close());
      const site = await open({}, { client: away });
      for (let i = 0; i < 20; i += 1) {
        const visitor = stage.visitor(site);
        expect(await visitor.page('/a')).toEqual({ id: visitor.visitorId });
      }
      expect(away.counters.publishes).toBe(20);
    });
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

    it('is what the site says it is, and without one the visitor’s cookie', async () => {
      const token = ({ headers }: SiteRequest) => headers['x-api-key'] as string | undefined;
      const site = await open({ token });
      expect((await ask(site, '/a', { 'x-api-key': 'k1', ...bearer('other') })).id).toBe(sessionOf('k1'));
      const visitor = stage.visitor(site);
      expect(((await visitor.get('/a', { 'x-api-key': '' })).body as Told).id).toBe(visitor.visitorId);
      // A client that sends one is no browser.
      expect((await ask(site, '/a', bearer('other'))).id).toBeUndefined();
    });

    it.each(['undefined', 'null', '[object Object]'])('is none where a mistake has made it: %s', async (mistake) => {
      const site = await open({ token: ({ headers }) => headers['x-api-key'] as string | undefined });
      expect((await ask(site, '/a', { 'x-api-key': mistake })).id).toBeUndefined();
    });

    it('of a session that was given to a user acts for the person', async () => {
      const site = await open();
      const token = createToken();
      await site.store.data.save(token, {});
      await site.store.data.identify(token, 'eve');
      expect((await ask(site, '/a', bearer(token))).id).toBe(personOf('eve'));
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
      const site = await open({ token });
      const own = createToken();
      await site.store.data.save(own, { user: 'ada' });
      expect((await ask(site, '/a', bearer(createToken(sessionOf(own))))).id).toBeUndefined();
      expect(await ask(site, '/a', bearer(own))).toEqual({ id: sessionOf(own), views: 0 });
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
        [{ track: fail }, tell],
        [{ consent: fail }, tell],
        [{ user: fail }, tell],
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
}
