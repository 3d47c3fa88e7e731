import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type HandleOptions, type LiveOptions, liveScript, type SessionwiseOptions } from '../../src/adapters/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { EventListener } from '../support/event-listener.ts';
import { type UsedRedis, useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { MadeObject, SiteRequest } from './create-sessionwise.suite.ts';
import { Visitor } from './suite/adapter-site.ts';

/* live.suite.ts: live streams (`sw.live`) through HTTP, the same in each framework. */

const SECRET = 'a secret of the tests, long enough';
const LONG_MS = 20_000;

/** Options of what is mounted. */
export interface LiveSiteOptions {
  readonly live?: LiveOptions;
  readonly knowledge?: Omit<HandleOptions<{ readonly headers: Record<string, unknown> }>, 'client'>;
}

/** A request of a page. */
export interface LivePageRequest extends SiteRequest {
  /** Ends the session. */
  end(): Promise<void>;
  /** Begins another session in place of this one. */
  regenerate(): Promise<void>;
}

/** A site with sessions, knowledge, and live streams below `/live`; `/name` is served by `pages.name`. */
export interface LiveSite {
  readonly url: string;
  /** Begins to close the server, as a process does that is told to end. Resolves when it is closed. */
  closeServer(): Promise<void>;
}

/** A framework, and how a site of it is opened. */
export interface LiveUnderTest<Made extends MadeObject> {
  readonly name: string;
  readonly cookieName: string;
  create(options: SessionwiseOptions): Made;
  open(
    made: Made,
    pages: Readonly<Record<string, (request: LivePageRequest) => unknown>>,
    options: LiveSiteOptions,
  ): Promise<LiveSite>;
}

const RULES = {
  segments: { vip: { group: 'vip' } },
  suggestions: [{ name: 'lounge', when: { segment: 'vip' }, suggest: 'The lounge' }],
};

const pages: Record<string, (request: LivePageRequest) => unknown> = {
  page: ({ sessionwise }) => sessionwise.id ?? null,
  counts: async ({ sessionwise }) => (await sessionwise.notices.counts()) ?? null,
  vip: async ({ sessionwise }) => {
    const [isVip, suggestions] = await Promise.all([sessionwise.is('vip'), sessionwise.suggestions()]);
    return [isVip, suggestions?.map(({ rule }) => rule)];
  },
  total: async ({ sessionwise }) => (await sessionwise.figures())?.totalPages ?? null,
  login: (request) => request.session.identify('ada'),
  switch: (request) => request.session.identify('bob'),
  rotate: (request) => request.session.rotate(),
  regenerate: async (request) => {
    await request.regenerate();
    await request.session.identify('ada');
  },
  logout: (request) => request.end(),
};

/** Tests a framework's live streams. */
export function testLive<Made extends MadeObject>(under: LiveUnderTest<Made>): void {
  describe(`live streams of ${under.name}`, () => {
    const stage = new Stage(under, useRedis());
    describe('find the visitor', () => testVisitors(stage));
    describe('refuse', () => testRefusals(stage));
    describe('end', () => testEnds(stage));
    describe('serve', () => testScript(stage));
  });
}

class Stage<Made extends MadeObject> {
  readonly under: LiveUnderTest<Made>;
  readonly server: UsedRedis;
  made!: Made;
  #service: Service | undefined;

  constructor(under: LiveUnderTest<Made>, server: UsedRedis) {
    this.under = under;
    this.server = server;
    beforeEach(async () => {
      this.#service = await startService({ redis: server.url, secret: SECRET, ...RULES });
      this.made = under.create({ redis: server.url, deadlineMs: LONG_MS });
      expect(await this.made.client.ready()).toBe(true);
    });
    afterEach(async () => {
      await this.made.close();
      await this.#service?.stop(100);
    });
  }

  async site({ knowledge, ...more }: LiveSiteOptions = {}): Promise<LiveSite> {
    const groups = (): string[] => ['news'];
    const site = await this.under.open(this.made, pages, { knowledge: { groups, ...knowledge }, ...more });
    onTestFinished(async () => {
      // Streams that a test has left open end with the object.
      await this.made.close();
      await site.closeServer();
    });
    return site;
  }

  visitor(site: LiveSite): Visitor {
    return new Visitor(site, { name: this.under.cookieName, tokenIn: () => '', sign: () => '' });
  }

  /** A browser that was on a page. */
  async known(site: LiveSite, path = '/page'): Promise<Visitor> {
    const visitor = this.visitor(site);
    await visitor.page(path);
    return visitor;
  }

  listen(
    site: LiveSite,
    visitor: Visitor,
    headers: Record<string, string> = {},
    path = '/live',
  ): Promise<EventListener> {
    const own = { ...visitor.headers, 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' };
    return new EventListener().open(site.url + path, { ...own, ...headers });
  }

  /** Asks as the script for pages does before it listens. */
  async head(site: LiveSite, visitor: Visitor, headers: Record<string, string> = {}): Promise<Response> {
    const own = { ...visitor.headers, 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' };
    return fetch(`${site.url}/live`, { method: 'HEAD', headers: { ...own, ...headers } });
  }

  publish(id: string, to: { group: string } | { person: string } = { group: 'news' }): Promise<unknown> {
    return this.made.notices.publish({ to, id, text: id });
  }
}

function testVisitors<Made extends MadeObject>(stage: Stage<Made>): void {
  it('of the cookie, with the groups of the page: a notice, and the counts', async () => {
    const site = await stage.site();
    const page = await stage.listen(site, await stage.known(site));
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(page.headers['cache-control']).toBe('no-store, no-transform');
    await page.until('open');
    await stage.publish('n1');
    expect(await page.until('notice')).toMatchObject({ id: 'n1', group: 'news' });
    expect(await page.until('unread', 2)).toEqual({ unseen: 1, unread: 1 });
  });

  it('who is logged in: what is for the person, and what they do on another device', async () => {
    const site = await stage.site();
    const [desk, phone] = [await stage.known(site, '/login'), await stage.known(site, '/login')];
    const streams = await Promise.all([desk, phone].map((visitor) => stage.listen(site, visitor)));
    await Promise.all(streams.map((stream) => stream.until('open')));
    await stage.publish('n1', { person: 'ada' });
    for (const stream of streams) expect(await stream.until('notice')).toMatchObject({ id: 'n1' });
    await stage.made.person('ada').notices.markRead(['n1']);
    await Promise.all(streams.map((stream) => waitUntil('it is read', () => stream.of('unread').at(-1)?.unread === 0)));
  });

  it('who logs in: the stream ends, and the next one is the person’s', async () => {
    const site = await stage.site();
    await stage.publish('n1', { person: 'ada' });
    const visitor = await stage.known(site);
    const before = await stage.listen(site, visitor);
    await before.until('open');
    const mark = (await stage.head(site, visitor)).headers.get('sessionwise-visitor');
    await visitor.page('/regenerate');
    await visitor.page('/page');
    await waitUntil('the stream has ended', () => before.hasEnded);
    expect(before.of('logged-out')).toEqual([]);
    const after = await stage.listen(site, visitor);
    expect(await after.until('unread')).toEqual({ unseen: 1, unread: 1 });
    // A page that asks for the visitor it was is told to ask anew.
    expect((await stage.listen(site, visitor, {}, `/live?visitor=${mark}`)).status).toBe(204);
    const now = (await stage.head(site, visitor)).headers.get('sessionwise-visitor');
    expect(now).not.toBe(mark);
    expect((await stage.listen(site, visitor, {}, `/live?visitor=${now}`)).status).toBe(200);
  });

  it('who becomes another person: nothing more is told of the first one', async () => {
    const site = await stage.site();
    const visitor = await stage.known(site, '/login');
    const before = await stage.listen(site, visitor);
    await before.until('open');
    await visitor.page('/switch');
    await waitUntil('the stream has ended', () => before.hasEnded);
    await stage.publish('n1', { person: 'ada' });
    await stage.publish('n2', { person: 'bob' });
    const after = await stage.listen(site, visitor, { 'last-event-id': before.lastId! });
    await after.until('open');
    expect([before, after].map((stream) => stream.of('notice').map(({ id }) => id))).toEqual([[], ['n2']]);
  });

  it('of a token, without cookies', async () => {
    const site = await stage.site({ knowledge: { token: () => 'a token that the site has checked' } });
    const page = await stage.listen(site, stage.visitor(site));
    await page.until('open');
    await stage.publish('n1');
    await page.until('notice');
  });

  it('and count no view, begin no visitor and set no cookie', async () => {
    const site = await stage.site();
    const [known, unknown] = [await stage.known(site), stage.visitor(site)];
    for (const headers of [{}, { 'sec-fetch-dest': '' }] as Record<string, string>[]) {
      const page = await stage.listen(site, known, headers);
      await page.until('open');
      expect(page.headers['set-cookie']).toBeUndefined();
      page.close();
      const refused = await stage.listen(site, unknown, headers);
      expect([refused.status, refused.headers['set-cookie']]).toEqual([204, undefined]);
    }
    expect(await known.page('/total')).toBe(1);
  });

  it('whose groups may be different ones, and are names', async () => {
    const site = await stage.site({
      knowledge: { groups: ({ headers }) => (headers['x-groups'] as string | undefined)?.split(',') ?? [] },
    });
    const visitor = await stage.known(site);
    const page = await stage.listen(site, visitor, { 'x-groups': 'sport,news' });
    const other = await stage.listen(site, visitor);
    await Promise.all([page, other].map((each) => each.until('open')));
    await stage.publish('n1');
    await page.until('notice');
    expect((await visitor.get('/counts', { 'x-groups': 'news' })).body).toMatchObject({ unread: 1 });
    expect((await visitor.get('/counts')).body).toMatchObject({ unread: 0 });
    expect(other.of('notice')).toEqual([]);
    // Rules ask for the same groups.
    expect((await visitor.get('/vip', { 'x-groups': 'news,vip' })).body).toEqual([true, ['lounge']]);
    expect((await visitor.get('/vip', { 'x-groups': 'news' })).body).toEqual([false, []]);
    expect((await visitor.get('/page', { 'x-groups': 'a,,b' })).status).toBe(500);
  });
}

function testRefusals<Made extends MadeObject>(stage: Stage<Made>): void {
  it('who has no cookie, no consent, or is a robot: for good (204)', async () => {
    const site = await stage.site();
    const visitor = await stage.known(site);
    const refused: [Visitor, Record<string, string>][] = [
      [stage.visitor(site), {}],
      [visitor, { 'sec-gpc': '1' }],
      [visitor, { dnt: '1' }],
      [visitor, { 'user-agent': 'curl/8.0' }],
    ];
    for (const [who, headers] of refused) {
      expect((await stage.listen(site, who, headers)).status).toBe(204);
      expect((await stage.head(site, who, headers)).status).toBe(204);
    }
  });

  it('pages of other origins, also where the site has headers for them', async () => {
    const site = await stage.site();
    const visitor = await stage.known(site);
    const { host } = new URL(site.url);
    const others: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: site.url },
      { 'sec-fetch-site': '', origin: 'https://evil.example' },
      { 'sec-fetch-site': '', origin: 'null' },
    ];
    for (const headers of others) {
      const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));
      const own = { ...visitor.headers, 'sec-fetch-dest': 'empty' };
      const page = await new EventListener().open(`${site.url}/live`, { ...own, ...sent });
      expect([sent, page.status, page.headers['access-control-allow-origin']]).toEqual([sent, 403, undefined]);
    }
    const own = { ...visitor.headers, 'sec-fetch-dest': 'empty', origin: `http://${host}` };
    expect((await new EventListener().open(`${site.url}/live`, own)).status).toBe(200);
  });

  it('too many: for a while (503), with a time to come back', async () => {
    const site = await stage.site({ live: { maxStreams: 2, maxStreamsOfVisitor: 1, retryMs: 1_500 } });
    const [one, two, three] = [await stage.known(site), await stage.known(site), await stage.known(site)];
    const page = await stage.listen(site, one);
    await page.until('open');
    for (const answer of [await stage.listen(site, one), await stage.head(site, one)]) expect(answer.status).toBe(503);
    await (await stage.listen(site, two)).until('open');
    const full = await stage.listen(site, three);
    expect([full.status, full.headers['retry-after']]).toEqual([503, '3']);
    page.close();
    await waitUntil('there is a place', async () => (await stage.head(site, three)).status === 200);
  });

  it('for a while, while it is not known who is there', async () => {
    const site = await stage.site();
    const visitor = await stage.known(site, '/login');
    const stale = visitor.twin();
    await visitor.page('/rotate');
    expect((await stage.listen(site, visitor)).status).toBe(200);
    // The previous secret opens nothing: whoever has it is not logged in.
    expect((await stage.listen(site, stale)).status).not.toBe(200);
  });

  it('other methods than GET and HEAD', async () => {
    const site = await stage.site();
    const visitor = await stage.known(site);
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const response = await fetch(`${site.url}/live`, { method, headers: visitor.headers });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    }
    const head = await stage.head(site, visitor);
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      '',
    ]);
    expect(head.headers.get('sessionwise-visitor')).toMatch(/^[0-9a-z]{16}$/);
  });
}

function testEnds<Made extends MadeObject>(stage: Stage<Made>): void {
  it.each<[string, (visitor: Visitor) => Promise<unknown>]>([
    ['the site ends the session', (visitor) => visitor.page('/logout')],
    ['it begins another one', (visitor) => visitor.page('/regenerate')],
    ['all sessions of the user are ended', () => stage.made.store.data.endSessionsOf('ada')],
  ])('with "logged-out" when %s', async (_, end) => {
    const site = await stage.site();
    const visitor = await stage.known(site, '/login');
    const page = await stage.listen(site, visitor);
    await page.until('open');
    await end(visitor);
    await page.until('logged-out');
    await waitUntil('the stream has ended', () => page.hasEnded);
    await stage.publish('n1', { person: 'ada' });
    expect(page.of('notice')).toEqual([]);
  });

  it('when the server closes, which does not wait for them, and with the object', async () => {
    const site = await stage.site();
    const page = await stage.listen(site, await stage.known(site));
    await page.until('open');
    await site.closeServer();
    await waitUntil('the stream has ended', () => page.hasEnded);
    const other = await stage.site();
    const last = await stage.listen(other, await stage.known(other));
    await last.until('open');
    await stage.made.close();
    await waitUntil('the stream has ended', () => last.hasEnded);
  });

  it('and leave no connection behind, over which nothing is asked before the first', async () => {
    const names = async (): Promise<string[]> => {
      const list = await stage.server.redis.command<string>('CLIENT', 'LIST');
      return Array.from(list.matchAll(/ name=(sessionwise-live\S*)/g), ([, name]) => name!);
    };
    const site = await stage.site();
    const visitor = await stage.known(site);
    expect((await stage.head(site, visitor)).status).toBe(200);
    expect(await names()).toEqual([]);
    const streams = await Promise.all([1, 2, 3].map(() => stage.listen(site, visitor)));
    await Promise.all(streams.map((stream) => stream.until('open')));
    expect(await names()).toEqual(['sessionwise-live']);
    await stage.made.close();
    await waitUntil('it is gone', async () => (await names()).length === 0);
  });

  it('after the longest time, and go on behind the last event', async () => {
    const site = await stage.site({ live: { maxAgeMs: 3_000, heartbeatMs: 50 } });
    const visitor = await stage.known(site);
    const page = await stage.listen(site, visitor);
    await page.until('open');
    await waitUntil('the stream has ended', () => page.hasEnded);
    await stage.publish('n1');
    const again = await stage.listen(site, visitor, { 'last-event-id': page.lastId! });
    expect(await again.until('notice')).toMatchObject({ id: 'n1' });
    const byQuery = await stage.listen(site, visitor, {}, `/live?after=${page.lastId}`);
    expect(await byQuery.until('notice')).toMatchObject({ id: 'n1' });
  });
}

function testScript<Made extends MadeObject>(stage: Stage<Made>): void {
  it('the script for pages that listen, under any name, and count no view for it', async () => {
    const site = await stage.site();
    const visitor = await stage.known(site);
    const script = liveScript();
    expect(script.tag).toMatch(/^<script src="\/live\/[0-9a-f]{16}\.js" integrity="sha384-[^"]+" defer><\/script>$/);
    const get = (path: string): Promise<Response> =>
      fetch(site.url + path, { headers: { ...visitor.headers, 'sec-fetch-dest': 'script' } });
    const hashed = await get(script.src);
    expect([hashed.status, hashed.headers.get('cache-control')]).toEqual([200, 'private, max-age=31536000, immutable']);
    const text = await hashed.text();
    const digest = await crypto.subtle.digest('SHA-384', new TextEncoder().encode(text));
    expect(script.integrity).toBe(`sha384-${Buffer.from(digest).toString('base64')}`);
    const named = await get('/live/script.js');
    expect([await named.text(), named.headers.get('cache-control')]).toEqual([text, 'private, no-cache']);
    expect(await visitor.page('/total')).toBe(1);
  });

  it('nothing to a request that breaks off at once', async () => {
    const site = await stage.site();
    const visitor = await stage.known(site);
    for (let i = 0; i < 20; i += 1) {
      const asked = httpRequest(`${site.url}/live`, { headers: visitor.headers });
      asked.on('error', () => undefined);
      asked.end();
      await new Promise((resolve) => asked.once('socket', resolve));
      asked.destroy();
    }
    const page = await stage.listen(site, visitor);
    await page.until('open');
    expect(page.status).toBe(200);
  });
}
