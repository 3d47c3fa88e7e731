import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get as httpGet, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createConnection } from '../../dist/redis/index.js';
import type { Service } from '../../dist/service/index.js';
import { kill, openService, openShop, type Shop, spawnService, Visitor } from '../support/shop-stage.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const PAGES = ['/', '/added/tv', '/added-sync/tv', '/cart', '/confirm-purchase', '/login', '/notifications'];
const OWN_NOTICES = ['free-delivery', 'repair-cafe', 'new-lamps'];

/** Asks until the footer is live; pages that are not do no harm. */
async function untilLive(visitor: Visitor): Promise<void> {
  await waitUntil('the footer to be live', async () => (await visitor.get('/')).state === 'live');
}

describe('the shop with the service', () => {
  const redis = useRedis({ eachTest: 'kept' });
  let service: Service;
  let shop: Shop;
  let visitor: Visitor;
  let now: number;

  beforeAll(async () => {
    now = Date.UTC(2026, 0, 1, 12);
    service = await openService(redis.url, { clock: () => now });
    // A machine under load must not make a page degraded here.
    shop = await openShop({ redis: redis.url, deadlineMs: 5_000 });
    // Whoever comes first may find scripts that the server does not know yet; here is who.
    await new Visitor(shop).get('/');
  });
  afterAll(async () => {
    await shop?.close();
    await service?.stop();
  });
  const arrive = (): Visitor => {
    visitor = new Visitor(shop);
    return visitor;
  };
  /** Returns when the last page's view has counted: it is sent behind the answer, and what is asked then behind it. */
  const counted = (): Promise<unknown> => visitor.fetch('/raw-session-analytics');

  it('a first visit is greeted, counted and remembered', async () => {
    const first = await arrive().get('/');
    expect(first.status).toBe(200);
    expect([first.state, first.totalPages, first.uniquePages]).toEqual(['live', 1, 1]);
    expect(first.all('data-welcome')).toEqual(['new']);
    expect(first.body).toContain('Active this minute.');
    const second = await visitor.get('/');
    expect([second.totalPages, second.uniquePages]).toEqual([2, 1]);
    expect(second.all('data-welcome')).toEqual([]);
    expect(visitor.tokens).toEqual([]);
  });

  it('who comes back after five inactive minutes is greeted again, and the strip moves on', async () => {
    await arrive().get('/');
    await counted();
    now += 4 * 60_000;
    const soon = await visitor.get('/');
    expect(soon.all('data-welcome')).toEqual([]);
    expect(soon.all('data-active')).toEqual(['false', 'true', 'false', 'false', 'false', 'true']);
    await counted();
    now += 6 * 60_000;
    const late = await visitor.get('/');
    expect(late.all('data-welcome')).toEqual(['back']);
    expect(late.all('data-active')).toEqual(['false', 'false', 'false', 'false', 'false', 'true']);
  });

  it('each page is in one layout, counts once, and its scripts are files of its own', async () => {
    arrive();
    for (const [i, path] of PAGES.entries()) {
      const page = await visitor.get(path);
      expect([path, page.status, page.state, page.totalPages]).toEqual([path, 200, 'live', i + 1]);
      for (const landmark of [
        '<header',
        '<nav aria-label="Main"',
        '<main id="content"',
        '<footer id="session-stats"',
      ]) {
        expect(page.body.split(landmark)).toHaveLength(2);
      }
      expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'self'/);
      expect(page.body).not.toMatch(/<script(?! src="\/)|<style| style=| on\w+=|https?:\/\//);
    }
  });

  it('a first visit to a page that waits for nothing is greeted in its last part', async () => {
    const page = await arrive().get('/added/tv');
    expect(page.all('data-welcome')).toEqual(['new']);
    expect(page.body.indexOf('data-welcome')).toBeGreaterThan(page.body.indexOf('</main>'));
  });

  it('featured pages make room for what was not seen', async () => {
    const featured = (await arrive().get('/')).all('data-featured');
    expect(featured).toHaveLength(6);
    await visitor.get('/added/lamp');
    const left = (await visitor.get('/')).all('data-featured');
    expect(left).toEqual(featured.filter((path) => path !== '/added/lamp'));
    for (const path of left) await visitor.get(path);
    const done = await visitor.get('/');
    expect(done.all('data-featured')).toEqual([]);
    expect(done.all('data-featured-done')).toHaveLength(1);
  });

  it('/added-sync says whether it was seen before', async () => {
    expect((await arrive().get('/added-sync/lamp')).all('data-seen-before')).toEqual(['false']);
    expect((await visitor.get('/added-sync/lamp')).all('data-seen-before')).toEqual(['true']);
    expect((await visitor.get('/added-sync/tv')).all('data-seen-before')).toEqual(['false']);
  });

  it('tv and tv-mount suggest an HDMI cable, with the reason and because of what', async () => {
    await arrive().get('/added/tv');
    expect((await visitor.get('/confirm-purchase')).all('data-suggestions')).toEqual(['none']);
    await visitor.get('/added/tv-mount');
    const page = await visitor.get('/confirm-purchase');
    expect(page.all('data-suggestion')).toEqual(['hdmi-cable']);
    expect(page.body).toMatch(/<h2>An HDMI cable<\/h2>\s*<p data-reason>A television on the wall/);
    expect(page.body).toMatch(/data-because>[^.]*<a href="\/added\/tv">[^.]*<a href="\/added\/tv-mount">/);
  });

  it('what was added while waiting counts just the same', async () => {
    await arrive().get('/added-sync/tv');
    await visitor.get('/added-sync/tv-mount');
    expect((await visitor.get('/confirm-purchase')).all('data-suggestion')).toEqual(['hdmi-cable']);
    expect((await visitor.get('/')).all('data-featured')).not.toContain('/added/tv');
  });

  it.each(['/added', '/added-sync'])('%s shows anything, escaped and cut', async (base) => {
    const evil = `<script>alert("1")</script>'&${'x'.repeat(200)}`;
    const page = await arrive().get(`${base}/${encodeURIComponent(evil)}`);
    expect([page.status, page.state]).toEqual([200, 'live']);
    expect(page.body).not.toContain('<script>');
    expect(page.body).toContain('<bdi>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;x');
    expect(/<bdi>(.*?)<\/bdi>/.exec(page.body)![1]).toMatch(/x…$/);
  });

  it('/raw-session-analytics tells the figures in JSON, and neither counts nor begins a session', async () => {
    await arrive().get('/');
    await visitor.get('/added/tv');
    const response = await visitor.fetch('/raw-session-analytics');
    const json = (await response.json()) as { session: string; analytics: Record<string, unknown> };
    expect(json).toMatchObject({ state: 'live', analytics: { totalPages: 2, uniquePages: 2, newToSite: false } });
    expect(json.session).toMatch(/^[0-9a-z]{25}$/);
    expect((await visitor.get('/')).totalPages).toBe(3);
    await arrive().fetch('/raw-session-analytics');
    expect(visitor.cookiesSet).toBe(0);
  });

  it('what is not there, and what cannot be read, stays in the layout and is not counted', async () => {
    await arrive().get('/');
    const missing = await visitor.get('/nope/<b>');
    expect([missing.status, missing.state, missing.totalPages]).toEqual([404, 'live', 1]);
    const unreadable = await visitor.get('/added/%E0%A4%A');
    expect([unreadable.status, unreadable.state, unreadable.totalPages]).toEqual([400, 'live', 1]);
    const tooMuch = await visitor.post('/notifications', [['id', 'x'.repeat(100_000)]]);
    expect(tooMuch.status).toBe(413);
    await arrive().get('/nope');
    expect(visitor.cookiesSet).toBe(0);
  });

  it.each(['/shop.css', '/notices.css', '/shop.js', '/notices.js', '/icons.svg', '/favicon.svg'])(
    '%s is local and has no session',
    async (path) => {
      const asset = await arrive().fetch(path);
      expect([asset.status, visitor.cookiesSet]).toEqual([200, 0]);
      expect(await asset.text()).not.toMatch(/url\(|@import|href="/);
    },
  );

  it('a port that is taken is said, and nothing is left running', async () => {
    const port = Number(new URL(shop.url).port);
    await expect(openShop({ redis: redis.url, port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('the shop when something is away', () => {
  const redis = useRedis();
  let shop: Shop;
  let visitor: Visitor;
  let lines: string[];
  let service: Service | undefined;
  let child: ChildProcess | undefined;

  const open = async (deadlineMs: number): Promise<void> => {
    lines = [];
    shop = await openShop({ redis: redis.url, deadlineMs, log: (line) => lines.push(line) });
    visitor = new Visitor(shop);
  };
  afterEach(async () => {
    if (child) await kill(child);
    await service?.stop();
    child = undefined;
    service = undefined;
    await shop.close();
  });

  const expectDegraded = async (): Promise<void> => {
    const tokensBefore = visitor.tokens.length;
    for (const path of PAGES) {
      const page = await visitor.get(path);
      expect([path, page.status, page.state]).toEqual([path, 200, 'degraded']);
      expect(page.all('data-total-pages')).toEqual([]);
    }
    expect((await visitor.get('/')).all('data-featured')).toHaveLength(6);
    expect((await visitor.get('/added-sync/tv')).all('data-seen-before')).toEqual(['unknown']);
    expect((await visitor.get('/confirm-purchase')).all('data-suggestions')).toEqual(['unknown']);
    const notices = await visitor.get('/notifications?seen=new-lamps');
    expect(notices.all('data-notification')).toEqual(OWN_NOTICES);
    expect(notices.all('data-read')).toEqual(['false', 'false', 'false']);
    expect(notices.all('data-read-state')).toEqual(['unknown']);
    expect(notices.all('data-unseen')).toEqual([]);
    const read: [string, string][] = [
      ['do', 'read'],
      ['id', 'new-lamps'],
    ];
    const form = await visitor.post('/notifications', read);
    expect(form.headers.get('location')).toBe('/notifications?failed=yes');
    expect((await visitor.post('/notifications.json', read)).status).toBe(503);
    expect(await (await visitor.fetch('/notifications.json')).json()).toMatchObject({ known: false });
    expect((await visitor.get('/nope')).status).toBe(404);
    const json = await (await visitor.fetch('/raw-session-analytics')).json();
    expect(json).toMatchObject({ state: 'degraded', analytics: null });
    expect(visitor.tokens).toHaveLength(tokensBefore);
  };

  it('without the service all pages work; its start brings the figures', async () => {
    await open(5_000);
    await visitor.get('/');
    await expectDegraded();
    service = await openService(redis.url);
    await untilLive(visitor);
    expect(visitor.tokens).toEqual([]);
  });

  it('the service may be killed; its successor knows the visitor', async () => {
    await open(5_000);
    child = await spawnService(redis.url);
    await untilLive(visitor);
    const before = await visitor.get('/added-sync/tv');
    // Its view is sent behind the answer: what is asked now comes behind the view.
    await visitor.fetch('/raw-session-analytics');
    await kill(child);
    await expectDegraded();
    child = await spawnService(redis.url);
    await untilLive(visitor);
    const after = await visitor.get('/added-sync/tv');
    expect(after.totalPages).toBeGreaterThan(before.totalPages);
    expect(after.all('data-seen-before')).toEqual(['true']);
  });

  it('Redis may be killed; when it is back, so are the figures', async () => {
    await open(5_000);
    service = await openService(redis.url);
    await untilLive(visitor);
    redis.kill('SIGKILL');
    await waitUntil('the death to be noticed', async () => (await visitor.get('/')).state === 'degraded');
    await expectDegraded();
    await redis.restart();
    await untilLive(visitor);
    // The session data has a connection of its own, and each change is told once.
    const told = () => lines.filter((line) => line.startsWith('Session data:'));
    await waitUntil('the session data to be back', () => told().length >= 2);
    expect(told()).toEqual([expect.stringContaining('is away'), expect.stringContaining('is back')]);
  });

  it('who comes for the first time while Redis is away gets whole pages', async () => {
    await open(5_000);
    redis.kill('SIGKILL');
    await waitUntil('the death to be noticed', () => lines.some((line) => line.includes('Redis is away')));
    const page = await visitor.get('/');
    expect([page.status, page.state]).toEqual([200, 'degraded']);
    expect(page.body.trimEnd()).toMatch(/<\/html>$/);
    await expectDegraded();
    await redis.restart();
  });

  it('a session that cannot be saved breaks neither its page nor its connection', async () => {
    await open(5_000);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (): Promise<boolean> => {
      // Who comes without a cookie is a new visitor.
      const request = httpGet(shop.url, { agent });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      expect(response.headers['set-cookie']).toHaveLength(1);
      expect(await text(response)).toMatch(/<\/html>\s*$/);
      return request.reusedSocket;
    };
    expect(await ask()).toBe(false);
    expect(await ask()).toBe(true);
    const admin = createConnection(redis.url);
    await admin.connect();
    await admin.command('ACL', 'SETUSER', 'default', '-@scripting'); // which is what saves sessions
    await expect(admin.command('EVAL', 'return 1', '0')).rejects.toThrow('NOPERM');
    admin.destroy();
    // Express ends the connection of a request that goes on behind its own answer.
    for (let i = 0; i < 5; i++) expect(await ask()).toBe(true);
    agent.destroy();
  });

  it('a shop that starts before Redis opens all the same', async () => {
    await open(200);
    await shop.close();
    redis.kill('SIGKILL');
    await waitUntil('the server to be gone', () => {
      try {
        process.kill(redis.pid, 0);
        return false;
      } catch {
        return true;
      }
    });
    shop = await openShop({ redis: redis.url });
    visitor = new Visitor(shop);
    expect(await visitor.get('/')).toMatchObject({ status: 200, state: 'degraded' });
    await redis.restart();
    service = await openService(redis.url);
    await untilLive(visitor);
  });

  it('a frozen Redis costs the first pages a deadline for data and one for figures, the next ones nothing', async () => {
    const deadlineMs = 1_000;
    await open(deadlineMs);
    service = await openService(redis.url);
    await untilLive(visitor);
    await visitor.add('tv');
    const before = (await visitor.get('/')).totalPages;
    const { cookiesSet: cookiesBefore } = visitor;
    redis.kill('SIGSTOP');
    const timed = async (): Promise<number> => {
      const start = performance.now();
      expect(await visitor.get('/')).toMatchObject({ status: 200, state: 'degraded' });
      return performance.now() - start;
    };
    // Three requests a page: five misses are complete with the second page.
    expect(await timed()).toBeLessThan(2 * deadlineMs + 500);
    expect(await timed()).toBeLessThan(deadlineMs + 500);
    let next = 0;
    for (let i = 0; i < 10; i++) next += await timed();
    expect(next).toBeLessThan(deadlineMs);
    expect(visitor.cookiesSet).toBe(cookiesBefore);
    redis.kill('SIGCONT');
    await untilLive(visitor);
    expect((await visitor.get('/')).totalPages).toBeGreaterThan(before);
    expect(visitor.tokens).toHaveLength(1);
    expect(lines).toEqual([
      expect.stringContaining('is open'),
      expect.stringContaining('is away'),
      expect.stringContaining('is back'),
    ]);
  });

  it('/added sends its content before anybody answers, and counts itself', async () => {
    await open(25_000);
    child = await spawnService(redis.url);
    await untilLive(visitor);
    const before = (await visitor.get('/')).totalPages;
    child.kill('SIGSTOP');
    const response = await visitor.fetch('/added/lamp');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let body = '';
    while (!body.includes('</main>')) body += (await reader.read()).value;
    expect(body).toContain('<bdi>Reading lamp</bdi>');
    expect(body).not.toContain('session-stats');
    child.kill('SIGCONT');
    for (let part = await reader.read(); !part.done; part = await reader.read()) body += part.value;
    expect(body).toContain(`data-state="live" data-total-pages="${before + 1}"`);
    expect(body.trimEnd()).toMatch(/<\/html>$/);
  });
});
