import { describe, expect, it } from 'vitest';
import { browserScript } from '../../../src/adapters/index.ts';
import { personOf, sessionOf } from '../../../src/index.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import type { Pages, Site, SiteOptions, Visitor } from './adapter-site.ts';
import { ViewsStage } from './views-stage.ts';
import { savingNothing } from './visitors.suite.ts';

/* script.suite.ts: the script for pages, as a browser asks for it and as it sends messages. */

const SCRIPT = browserScript();
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'empty' };
const MOST_IN_A_MINUTE = 120;

const pages: Pages = {
  page: () => 'page',
  status: ({ status, query }) => status(Number(query.get('code'))),
  cached: ({ raw, query }) => void raw.setHeader('Cache-Control', query.get('control')!),
  login: ({ session }) => session.identify('ada'),
};

/** A view, as the script sends it. */
const view = (page: string, once = Math.random().toString(36).slice(2)): object => ({ view: page, once });

/** The script's text, its messages, and documents that are marked for it. */
export function testScript(stage: AdapterStage): void {
  describe.skipIf(!stage.adapter.servesScript)('the script for pages', () => {
    const views = new ViewsStage(stage, pages);
    const settings = savingNothing(stage);
    const open: Open = (handle = {}) =>
      stage.open({ pages, client: views.client, handle: { script: SCRIPT, ...handle }, settings });

    describe('its text', () => testText(stage, views, open));
    describe('its messages', () => {
      testMessages(stage, views, open);
      testRefusals(stage, views, open);
      testConsentOfMessages(stage, views, open);
    });
    describe('its documents', () => testDocuments(stage, views, open));
  });
}

type Open = (handle?: SiteOptions['handle']) => Promise<Site>;

/** Sends a message as the browser of a visitor, which takes the visitor's cookie of the answer. Returns the status. */
async function send(
  site: Site,
  visitor: Visitor,
  message: object | string,
  headers: Record<string, string> = SAME_ORIGIN,
): Promise<number> {
  const response = await fetch(`${site.url}/sessionwise/view`, {
    method: 'POST',
    body: typeof message === 'string' ? message : JSON.stringify(message),
    headers: { ...visitor.headers, 'content-type': 'text/plain;charset=UTF-8', ...headers },
    signal: AbortSignal.timeout(20_000),
  });
  expect(await response.text()).toBe('');
  const line = response.headers.getSetCookie().find((each) => each.startsWith('sessionwise='));
  if (line !== undefined) visitor.visitorCookie = line.split(';')[0]!;
  return response.status;
}

function testText(stage: AdapterStage, views: ViewsStage, open: Open): void {
  const get = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const site = await open();
    const { headers } = stage.visitor(site);
    return fetch(site.url + path, { ...init, headers: { ...headers, 'sec-fetch-dest': 'script', ...init.headers } });
  };

  it('never changes under its name, and sets no cookie', async () => {
    const response = await get(SCRIPT.src);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/javascript; charset=utf-8$/i);
    expect(response.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.getSetCookie()).toEqual([]);
    const text = await response.text();
    const digest = await crypto.subtle.digest('SHA-384', new TextEncoder().encode(text));
    expect(SCRIPT.integrity).toBe(`sha384-${Buffer.from(digest).toString('base64')}`);
    expect(SCRIPT.tag).toBe(`<script src="${SCRIPT.src}" integrity="${SCRIPT.integrity}" async></script>`);
  });

  it('is asked for again under the names of other versions', async () => {
    for (const path of ['/sessionwise/0123456789abcdef.js', '/sessionwise/script.js']) {
      const response = await get(path);
      expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'private, no-cache']);
      expect((await response.text()).length).toBeGreaterThan(1_000);
    }
  });

  it('is no page, also for a browser that does not say what it asks for: nobody gets a cookie, nothing counts', async () => {
    const site = await open();
    const [known, unknown] = [await views.begun(site), stage.visitor(site)];
    const sent = await views.sentBy(async () => {
      for (const path of [SCRIPT.src, '/sessionwise/script.js']) {
        for (const { headers } of [known, unknown]) {
          const response = await fetch(site.url + path, { headers });
          expect([response.status, response.headers.getSetCookie()]).toEqual([200, []]);
          await response.text();
        }
      }
    });
    expect(sent).toBe(0);
  });

  it('answers HEAD and conditional requests', async () => {
    const head = await get(SCRIPT.src, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(1_000);
    const etag = head.headers.get('etag')!;
    const same = await get(SCRIPT.src, { headers: { 'if-none-match': `"other", W/${etag}` } });
    expect([same.status, await same.text(), same.headers.get('etag')]).toEqual([304, '', etag]);
    expect((await get(SCRIPT.src, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  it('has nothing else in its folder', async () => {
    const site = await open();
    for (const path of ['/sessionwise/', '/sessionwise/a/b.js', '/sessionwise/script.js.map', '/sessionwise/..js']) {
      const response = await fetch(site.url + path, { headers: stage.visitor(site).headers });
      // The site has no such page.
      expect([path, response.status >= 400]).toEqual([path, true]);
    }
  });
}

function testMessages(stage: AdapterStage, views: ViewsStage, open: Open): void {
  const totalIs = (visitor: Visitor | string, total: number): Promise<void> =>
    waitUntil(`${total} views`, async () => (await views.totalOf(visitor)) === total);

  it('begin a visitor, as a document does; each view counts for them', async () => {
    const site = await open();
    const visitor = stage.visitor(site);
    expect(await send(site, visitor, view('/a?secret=1#x'))).toBe(204);
    expect(visitor.visitorCookie).toMatch(/^sessionwise=[A-Za-z0-9_-]{32}\.\d{5}$/);
    const cookie = visitor.visitorCookie;
    expect(await send(site, visitor, view('/b'))).toBe(204);
    expect(visitor.visitorCookie).toBe(cookie);
    await totalIs(visitor, 2);
    expect(await views.client.session(visitor.visitorId).unseen(['/a', '/b', '/c'])).toEqual(['/c']);
  });

  it('that come twice count once', async () => {
    const site = await open();
    const visitor = await views.begun(site);
    const message = view('/a');
    for (let i = 0; i < 3; i += 1) expect(await send(site, visitor, message)).toBe(204);
    expect(await send(site, visitor, view('/b'))).toBe(204);
    await totalIs(visitor, 2);
  });

  it('count for the person who is logged in', async () => {
    const site = await open();
    const visitor = await views.begun(site);
    await visitor.page('/login');
    await totalIs(personOf('ada'), 1);
    expect(await send(site, visitor, view('/of-ada'))).toBe(204);
    await totalIs(personOf('ada'), 2);
  });

  it('that a page is still looked at begin no visitor and count no view', async () => {
    const site = await open();
    const visitor = stage.visitor(site);
    expect(await send(site, visitor, { active: '/a' })).toBe(204);
    expect(visitor.visitorCookie).toBeUndefined();
    await send(site, visitor, view('/a'));
    await totalIs(visitor, 1);
    expect(await views.sentBy(() => send(site, visitor, { active: '/a' }))).toBe(1);
    const figures = await views.client.session(visitor.visitorId).figures();
    expect(figures?.totalPages).toBe(1);
  });

  it('without sight of the server’s marks count where all is left to the browser', async () => {
    const unsure = (page: string): object => ({ ...view(page), unsure: true });
    const site = await open();
    const visitor = await views.begun(site);
    expect(await views.sentBy(() => send(site, visitor, unsure('/a')))).toBe(0);
    const left = await open({ pageview: 'browser' });
    expect(await views.sentBy(() => send(left, visitor, unsure('/a')))).toBe(1);
  });

  it('of one visitor are bounded', async () => {
    const site = await open();
    const visitor = await views.begun(site);
    const sent = await views.sentBy(async () => {
      for (let i = 0; i < MOST_IN_A_MINUTE + 20; i += 1) expect(await send(site, visitor, view(`/${i}`))).toBe(204);
    });
    expect(sent).toBe(MOST_IN_A_MINUTE);
  });
}

function testRefusals(stage: AdapterStage, views: ViewsStage, open: Open): void {
  it.each<[string, number, object | string]>([
    ['nothing', 400, ''],
    ['no JSON', 400, '/a'],
    ['no object', 400, '["/a"]'],
    ['null', 400, 'null'],
    ['no page', 400, { once: 'a' }],
    ['a name', 400, view('lamp')],
    ['another host', 400, view('https://other.example/a')],
    ['a view without a name', 400, { view: '/a' }],
    ['a name with more than letters', 400, view('/a', 'a"b')],
    ['a number', 400, { view: 7, once: 'a' }],
    ['a page that is too long', 400, view(`/${'a'.repeat(2_048)}`)],
    ['a body that is too long', 413, view('/a', 'a'.repeat(5_000))],
  ])('are refused: %s', async (_, status, message) => {
    const site = await open();
    const visitor = stage.visitor(site);
    const sent = await views.sentBy(async () => {
      expect(await post(site, visitor, message)).toBe(status);
    });
    expect([sent, visitor.visitorCookie]).toEqual([0, undefined]);
  });

  it.each<[string, Record<string, string>]>([
    ['of another site', { 'sec-fetch-site': 'cross-site' }],
    ['of a sibling', { 'sec-fetch-site': 'same-site' }],
    ['of another origin', { origin: 'https://other.example' }],
    ['of no origin', {}],
    ['of a hidden origin', { origin: 'null' }],
  ])('are refused: %s', async (_, headers) => {
    const site = await open();
    const visitor = await views.begun(site);
    const sent = await views.sentBy(async () => {
      expect(await post(site, visitor, view('/a'), headers)).toBe(403);
    });
    expect(sent).toBe(0);
  });

  it('of the same origin are taken by its name, also behind a proxy', async () => {
    const site = await open();
    const visitor = await views.begun(site);
    expect(await send(site, visitor, view('/a'), { origin: site.url })).toBe(204);
    const forwarded = { origin: 'https://shop.example', 'x-forwarded-host': 'shop.example, inner' };
    expect(await send(site, visitor, view('/a'), forwarded)).toBe(204);
  });

  // Without a body to read: frameworks answer some of them themselves.
  async function post(
    site: Site,
    visitor: Visitor,
    message: object | string,
    headers: Record<string, string> = SAME_ORIGIN,
  ): Promise<number> {
    const response = await fetch(`${site.url}/sessionwise/view`, {
      method: 'POST',
      body: typeof message === 'string' ? message : JSON.stringify(message),
      headers: { ...visitor.headers, ...headers },
      signal: AbortSignal.timeout(20_000),
    });
    expect(response.headers.getSetCookie()).toEqual([]);
    await response.text();
    return response.status;
  }
}

function testConsentOfMessages(stage: AdapterStage, views: ViewsStage, open: Open): void {
  it.each<[string, SiteOptions['handle'], Record<string, string>]>([
    ['Sec-GPC', {}, { 'sec-gpc': '1' }],
    ['DNT', {}, { dnt: '1' }],
    ['no consent', { consent: () => 'none' }, {}],
    ['a robot', {}, { 'user-agent': 'Googlebot/2.1' }],
    ['a page that is not tracked', { track: (_, page) => page !== '/a' }, {}],
  ])('count nothing: %s', async (_, handle, headers) => {
    const site = await open(handle);
    const visitor = stage.visitor(site);
    const sent = await views.sentBy(async () => {
      expect(await send(site, visitor, view('/a'), { ...SAME_ORIGIN, ...headers })).toBe(204);
    });
    expect(sent).toBe(0);
    if (!handle?.track) expect(visitor.visitorCookie).toBeUndefined();
  });

  it('count nothing for a visitor who is another’s: the cookie alone says whose they are', async () => {
    const site = await open();
    const [visitor, other] = [await views.begun(site), await views.begun(site)];
    const message = { ...view('/a'), session: other.visitorId, subject: sessionOf('x'), user: 'ada' };
    expect(await send(site, visitor, message)).toBe(204);
    await waitUntil('the view', async () => (await views.totalOf(visitor)) === 1);
    expect(await views.totalOf(other)).toBe(0);
  });
}

function testDocuments(_stage: AdapterStage, views: ViewsStage, open: Open): void {
  const PUBLIC = '/cached?control=public,+max-age=60';

  it.each<[string, SiteOptions['handle'], string, 'server' | 'browser', number]>([
    ['the server counts it', {}, '/page', 'server', 1],
    ['caches may keep it: it is left to the browser', {}, PUBLIC, 'browser', 0],
    ['it is left to the browser', { pageview: 'browser' }, '/page', 'browser', 0],
    ['a function leaves it to the browser', { pageview: () => 'browser' as const }, '/page', 'browser', 0],
    ['it is not there', {}, '/status?code=404', 'server', 0],
    ['it is not there, and left to the browser', { pageview: 'browser' }, '/status?code=404', 'server', 0],
    ['it is not tracked', { track: (_, page) => page !== '/page' }, '/page', 'server', 0],
    ['a function turns it off', { pageview: () => 'off' as const }, '/page', 'server', 0],
    ['no consent: nothing is decided', { consent: () => 'none' }, '/page', 'browser', 0],
  ])('are marked: %s', async (_, handle, path, expected, counted) => {
    const site = await open(handle);
    const visitor = await views.begun(site);
    let mark: string | null = null;
    const sent = await views.sentBy(async () => {
      mark = (await visitor.get(path)).header('server-timing');
    });
    expect([mark, sent]).toEqual([`sessionwise;desc="${expected}"`, counted]);
  });

  it('are left to the browser where they are only fetched ahead', async () => {
    const visitor = await views.begun(await open());
    const answer = await visitor.get('/page', { 'sec-purpose': 'prefetch;prerender' });
    expect(answer.header('server-timing')).toBe('sessionwise;desc="browser"');
  });

  it.each<[string, Record<string, string>]>([
    ['that are fetched ahead', { 'sec-purpose': 'prefetch;prerender' }],
    ['of a visitor who has not agreed', { 'sec-gpc': '1' }],
  ])('are left to nobody where a function turns them off: those %s', async (_, headers) => {
    const visitor = await views.begun(await open({ pageview: () => 'off' }));
    const answer = await visitor.get('/page', headers);
    expect(answer.header('server-timing')).toBe('sessionwise;desc="server"');
  });

  it('are not marked without the script, nor where they are no documents', async () => {
    const plain = await views.open();
    const visitor = await views.begun(plain);
    expect((await visitor.get('/page')).header('server-timing')).toBeNull();
    const site = await open();
    const image = await (await views.begun(site)).get('/page', { 'sec-fetch-dest': 'image' });
    expect(image.header('server-timing')).toBeNull();
  });

  it('that caches may keep count as before where there is no script', async () => {
    const site = await views.open();
    const visitor = await views.begun(site);
    expect(await views.sentBy(() => visitor.get(PUBLIC))).toBe(1);
  });
}
