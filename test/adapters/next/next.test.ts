import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { personOf, SessionClient, sessionOf } from '../../../src/index.ts';
import { startService } from '../../../src/service/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { type Answer, Visitor } from '../suite/adapter-site.ts';
import { NextSite, TESTS_NEXT } from './next-site.ts';

/* next.test.ts: a site of the real Next, in its own process. The conformance suite runs pages in the process of the test, which
 * Next does not; these are its main promises through HTTP. */

const SECRET = 'a secret of the tests, long enough';
const BUILD_DEADLINE_MS = 300_000;
const COOKIES = {
  name: 'sid',
  tokenIn: (cookie: string) => decodeURIComponent(cookie.slice('sid='.length)),
  sign: (token: string) => `sid=${encodeURIComponent(token)}`,
};
/** What the router of a page sends with its own requests. */
const ROUTER = { rsc: '1', 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' };
const FETCH = { 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'no-cors', 'sec-fetch-site': 'same-origin' };

if (!TESTS_NEXT) {
  console.warn(
    'NOT TESTED: sessionwise/next. It needs Next (340 MB), which only CI installs: TEST_NEXT=1 does so here.',
  );
}

describe.skipIf(!TESTS_NEXT)('Next', () => {
  const server = useRedis({ eachTest: 'kept' });
  const site = new NextSite();
  let inline: string;

  const start = (options: object = {}): Promise<string> => site.start({ redis: server.url, ...options });
  const visitorOf = (url: string): Visitor => new Visitor({ url }, COOKIES);
  const begun = async (url: string): Promise<Visitor> => {
    const visitor = visitorOf(url);
    await visitor.get('/t/set/cart/lamp');
    return visitor;
  };
  /** What a server component tells. */
  const pageOf = async (visitor: Visitor, what: string): Promise<Record<string, unknown>> =>
    toldBy(await visitor.get(`/page-of-tests/${what}`));
  const totalOf = async (visitor: Visitor): Promise<unknown> => (await visitor.get('/t/total', FETCH)).body;

  beforeAll(async () => {
    site.build();
    inline = await start({ service: 'inline', secret: SECRET });
    const visitor = visitorOf(inline);
    await waitUntil(
      'its service runs',
      async () => (await totalOf(visitor)) !== null || (await begins(visitor)),
      30_000,
    );
  }, BUILD_DEADLINE_MS);
  afterEach(() => server.kill('SIGCONT'));
  afterAll(async () => {
    await site.stop();
    site.remove();
  });

  // Only a page begins a visitor.
  async function begins(visitor: Visitor): Promise<boolean> {
    await visitor.get('/page-of-tests/handle');
    return (await totalOf(visitor)) !== null;
  }

  describe('the example', () => {
    it('shows what is new, keeps the cart, and logs in and out by actions', async () => {
      const visitor = visitorOf(inline);
      expect(textOf(await visitor.get('/')).match(/\(new for you\)/g)).toHaveLength(3);
      await visitor.get('/products/tv');
      await waitUntil('it was counted', async () => (await totalOf(visitor)) === 2);
      const home = textOf(await visitor.get('/'));
      expect(home.match(/\(new for you\)/g)).toHaveLength(2);
      expect(home).toMatch(/In the cart: (<!-- -->)?nothing/);
      await act(visitor, '/products/tv', {});
      expect(textOf(await visitor.get('/'))).toMatch(/In the cart: (<!-- -->)?tv/);
      const planted = visitor.twin();
      await act(visitor, '/', { user: 'ada' });
      expect(textOf(await visitor.get('/'))).toMatch(/Hello, (<!-- -->)?ada/);
      expect(textOf(await planted.get('/'))).not.toMatch(/ada/);
      await act(visitor, '/', {});
      expect(visitor.cookie).toBeUndefined();
      expect(textOf(await visitor.get('/'))).toMatch(/<h1>Hello<\/h1>/);
    });

    it('answers by route handlers', async () => {
      const visitor = visitorOf(inline);
      expect((await visitor.get('/api/cart', FETCH)).body).toEqual([]);
      const response = await fetch(`${inline}/api/cart`, {
        method: 'POST',
        body: JSON.stringify({ product: 'lamp' }),
        headers: visitor.headers,
      });
      expect(await response.json()).toEqual(['lamp']);
    });
  });

  describe('the session', () => {
    it('is kept, read by server components, and begins with the first change', async () => {
      const visitor = visitorOf(inline);
      expect(await pageOf(visitor, 'session')).toMatchObject({ fields: {} });
      expect(visitor.cookie).toBeUndefined();
      expect((await visitor.get('/t/set/cart/lamp')).setCookies).toHaveLength(1);
      expect((await visitor.get('/t/set/cart/tv')).setCookies).toHaveLength(0);
      expect(await pageOf(visitor, 'session')).toMatchObject({ fields: { cart: 'tv' }, isDegraded: false });
    });

    it('has a cookie that is HttpOnly and SameSite, Secure over https, and ends when the site says', async () => {
      const plain = (await visitorOf(inline).get('/t/set/a/1')).setCookies[0];
      expect(plain).toMatch(/^sid=[^;]+; Path=\/; HttpOnly; SameSite=lax$/i);
      const https = { 'x-forwarded-proto': 'https' };
      expect((await visitorOf(inline).get('/t/set/a/1', https)).setCookies[0]).toMatch(/; Secure/);
      const rolling = await start({ session: { rolling: true, cookie: { maxAge: 3_600_000, sameSite: 'strict' } } });
      const visitor = visitorOf(rolling);
      expect((await visitor.get('/t/set/a/1')).setCookies[0]).toMatch(/; Expires=.*SameSite=strict/i);
      const { cookie } = visitor;
      expect((await visitor.get('/page-of-tests/session')).setCookies[0]).toMatch(/; Expires=/);
      expect(visitor.cookie).toBe(cookie);
      expect(await pageOf(visitor, 'session')).toMatchObject({ fields: { a: '1' } });
    });

    it('cannot be changed by a page, which is told so', async () => {
      const visitor = await begun(inline);
      expect(await pageOf(visitor, 'writes')).toEqual({ error: 'TypeError' });
      expect(await pageOf(visitor, 'rotates')).toEqual({
        error: expect.stringMatching(/Change it in sw\.action\(\) or sw\.route\(\)/),
      });
      expect(await pageOf(visitor, 'session')).toMatchObject({ fields: { cart: 'lamp' } });
    });

    it('opens nothing for a cookie that was known before the login', async () => {
      const visitor = await begun(inline);
      const planted = visitor.twin();
      expect((await visitor.get('/t/login/ada')).setCookies).toHaveLength(1);
      expect((await planted.get('/t/fields')).body).toEqual({});
      expect(await planted.get('/t/set/cart/planted')).toMatchObject({ status: 200, setCookies: [] });
      expect(await planted.get('/t/logout')).toMatchObject({ status: 409, setCookies: [] });
      expect(await pageOf(visitor, 'session')).toMatchObject({ fields: { cart: 'lamp' }, id: personOf('ada') });
      expect((await planted.get('/t/info')).body).toBeNull();
    });

    it('counts what requests beside each other add', async () => {
      const visitor = await begun(inline);
      const sums = await Promise.all(Array.from({ length: 20 }, () => visitor.twin().get('/t/increment')));
      expect(sums.map(({ body }) => body).sort((a, b) => Number(a) - Number(b))).toEqual(
        Array.from({ length: 20 }, (_, i) => i + 1),
      );
    });

    it('ends by logout, and another begins by regenerate', async () => {
      const visitor = await begun(inline);
      const { token } = visitor;
      expect((await visitor.get('/t/regenerate')).setCookies).toHaveLength(1);
      expect(sessionOf(visitor.token)).not.toBe(sessionOf(token));
      expect(await pageOf(visitor, 'session')).toMatchObject({ fields: { fresh: true } });
      await visitor.get('/t/logout');
      expect(visitor.cookie).toBeUndefined();
      expect(await pageOf(visitor, 'session')).toMatchObject({ fields: {} });
    });

    it('is saved where a handler streams, redirects or fails', async () => {
      const visitor = await begun(inline);
      expect((await visitor.get('/t/stream')).text).toBe('first, second');
      expect((await visitor.get('/t/redirect')).status).toBe(307);
      expect((await visitor.get('/t/fails')).status).toBe(500);
      expect(await pageOf(visitor, 'session')).toMatchObject({
        fields: { cart: 'lamp', streamed: true, redirected: true, failed: true },
      });
      // Next makes its own answer of an error, without the cookies that were set.
      expect((await visitorOf(inline).get('/t/fails')).setCookies).toHaveLength(0);
      const stranger = visitorOf(inline);
      expect((await stranger.get('/t/redirect')).setCookies).toHaveLength(1);
      expect(await pageOf(stranger, 'session')).toMatchObject({ fields: { redirected: true } });
    });
  });

  describe('a view', () => {
    it.each<[string, string, number, Record<string, string>]>([
      ['a page', '/page-of-tests/handle', 1, {}],
      ['a page that the router shows', '/page-of-tests/handle?_rsc', 1, ROUTER],
      ['a page that moved', '/page-of-tests/moved', 1, {}],
      ['a page that the router fetches ahead', '/products/tv?_rsc', 0, { ...ROUTER, 'next-router-prefetch': '1' }],
      ['a page that the browser fetches ahead', '/products/tv', 0, { 'sec-purpose': 'prefetch', purpose: 'prefetch' }],
      ['a page that is not there', '/nowhere', 0, {}],
      ['a page that found nothing', '/page-of-tests/missing', 0, {}],
      ['a page that failed', '/page-of-tests/fails', 0, {}],
      ['a request of a script', '/t/fields', 0, FETCH],
    ])('is %s: %s counts %i', async (_, path, count, headers) => {
      const visitor = visitorOf(inline);
      await visitor.get('/page-of-tests/handle');
      await waitUntil('the first page was counted', async () => (await totalOf(visitor)) === 1);
      await visitor.get(path, headers);
      await visitor.get('/page-of-tests/handle');
      await waitUntil('the last page was counted', async () => Number(await totalOf(visitor)) >= 2 + count);
      expect(await totalOf(visitor)).toBe(2 + count);
    });

    it('is none for HEAD, and has its page on the handle', async () => {
      const visitor = visitorOf(inline);
      expect(await pageOf(visitor, 'handle')).toMatchObject({ id: visitor.visitorId, page: '/page-of-tests/handle' });
      const { headers } = visitor;
      const head = await fetch(`${inline}/page-of-tests/handle`, { method: 'HEAD', headers });
      expect([head.status, await head.text()]).toEqual([200, '']);
      await waitUntil('one page was counted', async () => (await totalOf(visitor)) === 1);
    });
  });

  describe('a visitor', () => {
    it('is the same in the page and in the next one, and becomes a person', async () => {
      const visitor = visitorOf(inline);
      const first = await pageOf(visitor, 'handle');
      expect(first.id).toBe(visitor.visitorId);
      expect(await pageOf(visitor, 'handle')).toMatchObject({ id: first.id });
      await visitor.get('/t/login/grace');
      expect(await pageOf(visitor, 'handle')).toMatchObject({ id: personOf('grace') });
    });

    it.each<[string, Record<string, string>]>([
      ['a robot', { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' }],
      ['who does not agree', { 'sec-gpc': '1' }],
    ])('is none: %s', async (_, headers) => {
      const visitor = visitorOf(inline);
      const answer = await visitor.get('/page-of-tests/handle', headers);
      expect(answer.visitorCookies).toEqual([]);
      expect(toldBy(answer)).not.toHaveProperty('id');
    });

    it('has the script for pages, whose messages count', async () => {
      const url = await start({ service: 'inline', secret: SECRET, script: true });
      const visitor = visitorOf(url);
      await waitUntil(
        'its service runs',
        async () => (await begins(visitor)) || (await totalOf(visitor)) !== null,
        30_000,
      );
      const before = Number(await totalOf(visitor));
      expect((await visitor.get('/sessionwise/script.js', { 'sec-fetch-dest': 'script' })).text.length).toBeGreaterThan(
        1_000,
      );
      const sent = await fetch(`${url}/sessionwise/view`, {
        method: 'POST',
        body: JSON.stringify({ view: '/soft', once: 'a' }),
        headers: { ...visitor.headers, ...FETCH },
      });
      expect(sent.status).toBe(204);
      await waitUntil('it was counted', async () => Number(await totalOf(visitor)) > before);
    });
  });

  describe('while', () => {
    it('no service runs, pages are rendered without answers', async () => {
      const visitor = visitorOf(await start());
      expect(await pageOf(visitor, 'handle')).toEqual({ id: visitor.visitorId, page: '/page-of-tests/handle' });
      await visitor.get('/t/set/cart/lamp');
      expect(await pageOf(visitor, 'session')).toMatchObject({ fields: { cart: 'lamp' } });
    });

    it('Redis is away, pages that ask for knowledge are rendered, and those that need the session fail', async () => {
      const url = await start({ store: { deadlineMs: 500 }, deadlineMs: 200 });
      const visitor = await begun(url);
      server.kill('SIGSTOP');
      expect(await pageOf(visitor, 'handle')).toEqual({});
      expect(await visitor.get('/page-of-tests/session')).toMatchObject({ status: 500, setCookies: [] });
      server.kill('SIGCONT');
      await waitUntil('the session is back', async () => (await visitor.get('/page-of-tests/session')).status === 200);
    });

    it('Redis is away and the store fails open, all pages are rendered, with an empty session', async () => {
      const url = await start({ store: { deadlineMs: 500, fail: 'open' }, deadlineMs: 200 });
      const visitor = await begun(url);
      server.kill('SIGSTOP');
      expect(await pageOf(visitor, 'session')).toEqual({ fields: {}, isDegraded: true });
      expect(await visitor.get('/t/set/cart/tv')).toMatchObject({ status: 200, setCookies: [] });
    });

    it('a service elsewhere runs, it answers', async () => {
      const service = await startService({ redis: server.url, namespace: 'elsewhere', secret: SECRET });
      const client = new SessionClient({ redis: server.url, namespace: 'elsewhere', deadlineMs: 20_000 });
      onTestFinished(async () => {
        await client.close();
        await service.stop();
      });
      expect(await client.ready()).toBe(true);
      const visitor = visitorOf(await start({ namespace: 'elsewhere', deadlineMs: 20_000 }));
      await waitUntil('it answers', async () => (await pageOf(visitor, 'handle')).unseen !== undefined, 30_000);
      expect((await pageOf(visitor, 'handle')).unseen).toEqual(['/a', '/b']);
    });
  });

  // A form as a browser without JavaScript sends it: its hidden fields name the action.
  async function act(visitor: Visitor, path: string, fields: Readonly<Record<string, string>>): Promise<void> {
    const { text } = await visitor.get(path);
    const form = new FormData();
    for (const [, name, value] of text.matchAll(/<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?/g)) {
      form.append(name!, (value ?? '').replaceAll('&quot;', '"'));
    }
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    const { 'sec-fetch-dest': _, ...headers } = visitor.headers;
    const response = await fetch(inline + path, {
      method: 'POST',
      body: form,
      headers: { ...headers, origin: inline },
      redirect: 'manual',
    });
    expect(response.status).toBe(303);
    for (const line of response.headers.getSetCookie()) {
      const pair = line.split(';')[0]!;
      if (pair.startsWith('sid=')) visitor.cookie = pair === 'sid=' ? undefined : pair;
      if (pair.startsWith('sessionwise=')) visitor.visitorCookie = pair.endsWith('=') ? undefined : pair;
    }
  }
});

/** The HTML that a person sees, without what is sent for the router. */
function textOf({ text }: Answer): string {
  return text.replace(/<script\b[\s\S]*?<\/script>/g, '');
}

function toldBy({ text, status }: Answer): Record<string, unknown> {
  const [, encoded] = /<pre>([^<]*)<\/pre>/.exec(text) ?? [];
  if (encoded === undefined) throw new Error(`The page told nothing: ${status} ${text.slice(0, 500)}`);
  return JSON.parse(Buffer.from(encoded, 'base64').toString()) as Record<string, unknown>;
}
