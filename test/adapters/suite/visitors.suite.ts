import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SessionClient } from '../../../src/index.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import type { Page, Pages, Site, SiteOptions, Visitor } from './adapter-site.ts';

const tell: Page = ({ handle }) => ({ id: handle?.id ?? null });
const pages: Pages = {
  '': tell,
  a: tell,
  'set-cart': ({ session }) => {
    session.cart = ['lamp'];
  },
  status: ({ status, query }) => status(Number(query.get('code'))),
  streams: ({ sendHead }) => sendHead(),
  fails: () => {
    throw Object.assign(new Error('of the page'), { status: 500, statusCode: 500 });
  },
  cached: ({ raw, query }) => void raw.setHeader('Cache-Control', query.get('control')!),
  regenerate: ({ regenerate }) => regenerate(),
  destroy: ({ destroy }) => destroy(),
};
const LINE = /^sessionwise=[A-Za-z0-9_-]{32}\.\d{5}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=34560000$/;
const DAY_MS = 86_400_000;

/** Returns a visitor's cookie; `suffix`: behind its value. */
export function visitorCookie(suffix = `.${Math.floor(Date.now() / DAY_MS)}`): string {
  return `sessionwise=${randomBytes(24).toString('base64url')}${suffix}`;
}

/** Cookies of visitors, consent and robots: what needs no service. */
export function testVisitors(stage: AdapterStage): void {
  describe('a visitor', () => {
    let client: SessionClient;
    beforeAll(async () => {
      client = new SessionClient({ redis: stage.server.url });
      expect(await client.ready()).toBe(true);
    });
    afterAll(() => client?.close());
    beforeEach(() => stage.redis.command('FLUSHALL'));

    const open = (handle: SiteOptions['handle'] = {}): Promise<Site> =>
      stage.open({ pages, client, handle, settings: savingNothing(stage) });
    /** What the client sent and asked while `work` ran. */
    const sentBy = async (work: () => Promise<unknown>): Promise<number> => {
      const before = client.counters.publishes + client.counters.requests;
      await work();
      return client.counters.publishes + client.counters.requests - before;
    };

    describe('the cookie', () => testCookie(stage, open));
    describe('consent', () => testConsent(stage, open, sentBy));
    describe('robots and probes', () => testRobots(stage, open, sentBy));
  });
}

/** Settings with which a session into which nothing was put is not saved. */
export function savingNothing({ adapter }: AdapterStage): object {
  return (adapter.anonymous.find(([name]) => name !== 'saving what is empty') ?? adapter.anonymous[0]!)[1];
}

type Open = (handle?: SiteOptions['handle']) => Promise<Site>;
type SentBy = (work: () => Promise<unknown>) => Promise<number>;

function testCookie(stage: AdapterStage, open: Open): void {
  it.each(['/a', '/set-cart', '/status?code=302', '/status?code=404', '/status?code=304', '/streams', '/fails'])(
    'is set once, beside the session’s, and the browser is the same visitor from then on: %s',
    async (path) => {
      const visitor = stage.visitor(await open());
      const first = await visitor.get(path);
      expect(first.visitorCookies).toEqual([expect.stringMatching(LINE)]);
      expect(first.setCookies).toHaveLength(path === '/set-cart' ? 1 : 0);
      expect((await visitor.get(path)).visitorCookies).toEqual([]);
      expect(await visitor.page('/a')).toEqual({ id: visitor.visitorId });
    },
  );

  it.each(['/regenerate', '/destroy'])('stays what it is, whatever the session does: %s', async (path) => {
    const visitor = stage.visitor(await open());
    await visitor.page('/set-cart');
    const { visitorId } = visitor;
    expect((await visitor.get(path)).visitorCookies).toEqual([]);
    expect(await visitor.page('/a')).toEqual({ id: visitorId });
  });

  it('is renewed with a page of another day, with its value, and once', async () => {
    const visitor = stage.visitor(await open());
    visitor.visitorCookie = visitorCookie('.20000');
    const { visitorId } = visitor;
    expect((await visitor.get('/a', { 'sec-fetch-dest': 'image' })).visitorCookies).toEqual([]);
    expect((await visitor.get('/a')).visitorCookies).toEqual([expect.stringMatching(LINE)]);
    expect(visitor.visitorId).toBe(visitorId);
    expect((await visitor.get('/a')).visitorCookies).toEqual([]);
  });

  it.each(['', 'x', 'x'.repeat(32), '__proto__', `${'a'.repeat(32)}.x`, `${'a'.repeat(33)}`, `"${'a'.repeat(32)}"`])(
    'that we did not make is read as far as it has our form: %j',
    async (value) => {
      const visitor = stage.visitor(await open());
      visitor.visitorCookie = `sessionwise=${value}`;
      const { status, visitorCookies } = await visitor.get('/a');
      expect([status, visitorCookies.length]).toEqual([200, 1]);
      expect(visitor.visitorCookie.startsWith(`sessionwise=${value}.`)).toBe(value === 'x'.repeat(32));
    },
  );

  it.each<[string, Record<string, string>, number]>([
    ['an image', { 'sec-fetch-dest': 'image' }, 0],
    ['a script', { 'sec-fetch-dest': 'script' }, 0],
    ['a frame', { 'sec-fetch-dest': 'iframe' }, 0],
    ['a fetch of another site', { 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'cross-site' }, 0],
    ['a fetch of the site', { 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' }, 1],
    ['a prefetched page', { 'sec-purpose': 'prefetch' }, 1],
    ['a bearer token', { authorization: 'Bearer x' }, 0],
  ])('is not begun by what shows no page of the site: %s', async (_, headers, count) => {
    const answer = await stage.visitor(await open({ token: () => undefined })).get('/a', headers);
    expect(answer.visitorCookies).toHaveLength(count);
    expect((answer.body as { id: string | null }).id === null).toBe(count === 0);
  });

  it.each([
    ['public, max-age=60', 0],
    ['s-maxage=60', 0],
    ['public, max-age=0', 1],
    ['private, max-age=60', 1],
    ['public, no-cache', 1],
  ])('is not on an answer that shared caches keep: %s', async (control, count) => {
    const visitor = stage.visitor(await open());
    expect((await visitor.get(`/cached?control=${encodeURIComponent(control)}`)).visitorCookies).toHaveLength(count);
  });

  it('is as the site wants it', async () => {
    const cookie = { name: 'sessionwise', maxAge: 60_000, domain: 'shop.example', path: '/shop' } as const;
    const site = await open({ cookie: { ...cookie, sameSite: 'none', secure: true } });
    const [line] = (await stage.visitor(site).get('/a')).visitorCookies;
    expect(line).toMatch(/; Domain=shop.example; Path=\/shop; HttpOnly; SameSite=None; Secure; Max-Age=60$/);
    const renamed = await fetch(`${(await open({ cookie: { name: 'v' } })).url}/a`, {
      headers: stage.visitor(site).headers,
    });
    expect(renamed.headers.getSetCookie()).toEqual([expect.stringMatching(/^v=/)]);
  });
}

function testConsent(stage: AdapterStage, open: Open, sentBy: SentBy): void {
  const browser = async (handle: SiteOptions['handle'], cookie?: string): Promise<Visitor> => {
    const visitor = stage.visitor(await open(handle));
    visitor.visitorCookie = cookie;
    return visitor;
  };

  it.each<[string, SiteOptions['handle'], Record<string, string>]>([
    ['Sec-GPC', {}, { 'sec-gpc': '1' }],
    ['DNT', {}, { dnt: '1' }],
    ['a function', { consent: () => 'none' }, {}],
    ['a function, and a user', { consent: () => 'none', user: () => 'ada' }, {}],
    ['Sec-GPC, and a bearer token', {}, { 'sec-gpc': '1', authorization: 'Bearer x' }],
  ])('none, by %s: nothing is asked or counted, and there is no cookie and no key', async (_, handle, headers) => {
    const visitor = await browser(handle);
    const sent = await sentBy(async () => {
      for (let i = 0; i < 5; i += 1) {
        expect(await visitor.get('/a', headers)).toMatchObject({ visitorCookies: [], body: { id: null } });
      }
    });
    expect(sent).toBe(0);
    expect(await stage.redis.command('KEYS', '*')).toEqual([]);
  });

  it('none takes away a cookie that is there', async () => {
    const visitor = await browser({}, visitorCookie());
    const { visitorCookies, body } = await visitor.get('/a', { 'sec-gpc': '1' });
    expect(visitorCookies).toEqual([expect.stringMatching(/^sessionwise=; Path=\/; .*; Max-Age=0$/)]);
    expect([visitor.visitorCookie, body]).toEqual([undefined, { id: null }]);
  });

  it('of a function counts before the signals of a browser, as the site has asked', async () => {
    const visitor = await browser({ consent: () => 'all' });
    expect((await visitor.get('/a', { 'sec-gpc': '1', dnt: '1' })).body).toEqual({ id: visitor.visitorId });
  });

  it('session: the cookie ends with the browser, and one of before becomes such a one', async () => {
    const visitor = await browser({ consent: () => 'session' }, visitorCookie());
    const { visitorId } = visitor;
    for (const count of [1, 0]) {
      const { visitorCookies, body } = await visitor.get('/a');
      expect(visitorCookies).toHaveLength(count);
      for (const line of visitorCookies)
        expect(line).toMatch(/^sessionwise=[\w-]{32}; Path=\/; HttpOnly; SameSite=Lax$/);
      expect(body).toEqual({ id: visitorId });
    }
  });

  it.each([undefined, null, 'ALL', true, ''])('that is none fails the request, and says why: %s', async (given) => {
    const answer = await (await browser({ consent: () => given as never })).get('/a');
    expect(answer).toMatchObject({ status: 500, body: { message: expect.stringMatching(/consent returned .*"all"/) } });
  });
}

function testRobots(stage: AdapterStage, open: Open, sentBy: SentBy): void {
  const ROBOTS = [
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
    'Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)',
    'Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)',
    'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36',
    'kube-probe/1.29',
    'ELB-HealthChecker/2.0',
    'GoogleHC/1.0',
    'curl/8.5.0',
    'python-requests/2.32.0',
    'Go-http-client/1.1',
    'Wget/1.21',
    '',
  ];

  it.each(ROBOTS)('leave no cookie, no message and no key: %s', async (robot) => {
    const site = await open();
    const sent = await sentBy(async () => {
      for (let i = 0; i < 10; i += 1) {
        const answer = await stage.visitor(site).get('/a', { 'user-agent': robot });
        expect(answer).toMatchObject({ status: 200, visitorCookies: [], setCookies: [], body: { id: null } });
      }
    });
    expect(sent).toBe(0);
    expect(await stage.redis.command('KEYS', '*')).toEqual([]);
  });

  it('are visitors as anybody else where the site counts them', async () => {
    const visitor = stage.visitor(await open({ bots: 'count' }));
    expect(await sentBy(() => visitor.get('/a', { 'user-agent': ROBOTS[0]! }))).toBe(1);
    expect(visitor.visitorCookie).toBeDefined();
  });
}
