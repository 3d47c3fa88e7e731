import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { findBrowser } from '../support/find-browser.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { ScriptStage, visitorOf } from './script-site.ts';

const executablePath = findBrowser();

describe.skipIf(executablePath === undefined)('the script for pages in a browser counts', () => {
  const redis = useRedis({ eachTest: 'kept' });
  const stage = new ScriptStage(redis, executablePath!);
  /** Runs within the page, as its own script would. */
  const run = (page: Page, code: string): Promise<unknown> => page.evaluate(code);
  /** Follows a link. */
  const follow = async (page: Page, path: string): Promise<void> => {
    await Promise.all([page.waitForURL(`**${path}`), run(page, `setTimeout(() => { location.href = '${path}' })`)]);
  };

  it.each([
    ['the Navigation API', ''],
    ['a patched history', 'Object.defineProperty(window, "navigation", { value: undefined })'],
  ])('navigation within a page, by its paths: %s', async (_, before) => {
    const site = await stage.open();
    const page = await stage.arrive();
    if (before) await page.addInitScript(before);
    await page.goto(`${site.url}/p/start`);
    const steps: [string, string | undefined][] = [
      [`history.pushState(0, '', '/spa/x')`, '/spa/x'],
      [`history.pushState(0, '', '/spa/x?tab=2')`, undefined],
      [`history.pushState(0, '', '/spa/x#part')`, undefined],
      [`history.replaceState(0, '', '/spa/y?secret=1')`, '/spa/y'],
      // A router that moves on at once: only the last page is seen.
      [`history.pushState(0, '', '/spa/gate'); history.replaceState(0, '', '/spa/z')`, '/spa/z'],
      [`history.back()`, '/spa/y'],
      [`history.go(-3)`, '/p/start'],
    ];
    const expected: string[] = [];
    for (const [code, view] of steps) {
      await run(page, code);
      if (view === undefined) continue;
      expected.push(view);
      await waitUntil(view, () => site.proxy.views.length >= expected.length);
      expect(site.proxy.views).toEqual(expected);
    }
    // Five within the page, and the document, which the server counts.
    await stage.expectTotal(site, page, 6);
    expect(site.proxy.views).toEqual(expected);
    const handle = stage.client.session((await visitorOf(page.context()))!);
    expect(await handle.unseen(['/p/start', '/spa/x', '/spa/y', '/spa/z', '/spa/gate'])).toEqual(['/spa/gate']);
    expect(JSON.stringify(site.proxy.messages)).not.toContain('secret');
  });

  it('a page that comes back from the back/forward cache', async () => {
    const site = await stage.open();
    const page = await stage.arrive();
    await page.goto(`${site.url}/p/a`);
    await follow(page, '/p/b');
    await run(page, 'setTimeout(() => history.back())');
    await waitUntil('the page is shown again', () => site.proxy.views.length === 1);
    expect(site.proxy.views).toEqual(['/p/a']);
    await stage.expectTotal(site, page, 3);
    // It came from there: the site was not asked.
    expect(site.proxy.passed.filter((each) => each === 'GET /p/a')).toHaveLength(1);
  });

  it('a page that comes out of the browser’s own cache, and no reload, which the server counts', async () => {
    const site = await stage.open();
    const page = await stage.arrive();
    await page.goto(`${site.url}/kept/a`);
    await follow(page, '/p/b');
    await follow(page, '/kept/a');
    await waitUntil('the page of the cache', () => site.proxy.views.length === 1);
    expect(site.proxy.passed.filter((each) => each === 'GET /kept/a')).toHaveLength(1);
    await page.goto(`${site.url}/p/b`);
    for (let i = 0; i < 2; i += 1) await page.reload();
    await stage.expectTotal(site, page, 6);
    expect(site.proxy.views).toEqual(['/kept/a']);
    // One of these was answered with 304.
    expect(site.proxy.passed.filter((each) => each === 'GET /p/b')).toHaveLength(4);
  });

  it('pages of a CDN, which the site never sees: each visitor begins with their first message', async () => {
    const site = await stage.open();
    const pages = [await stage.arrive(), await stage.arrive(), await stage.arrive()];
    for (const page of pages) {
      const answer = await page.goto(`${site.url}/cdn/a`);
      expect(await answer!.headerValue('set-cookie')).toBeNull();
      await waitUntil('a visitor', async () => (await visitorOf(page.context())) !== undefined);
      await page.goto(`${site.url}/cdn/b`);
    }
    for (const page of pages) await stage.expectTotal(site, page, 2);
    expect(site.proxy.passed.filter((each) => each.startsWith('GET /cdn/'))).toEqual(['GET /cdn/a', 'GET /cdn/b']);
    const ids = await Promise.all(pages.map((page) => visitorOf(page.context())));
    expect(new Set(ids).size).toBe(3);
  });

  it('all pages where the server leaves them to it: reloads, two tabs, and a page with two tags once', async () => {
    const site = await stage.open({ pageview: 'browser' });
    const page = await stage.arrive();
    await page.goto(`${site.url}/p/a`);
    await waitUntil('the first view', () => site.proxy.views.length === 1);
    await page.reload();
    const tab = await page.context().newPage();
    await Promise.all([page.goto(`${site.url}/twice`), tab.goto(`${site.url}/p/b`)]);
    await stage.expectTotal(site, page, 4);
    expect(site.proxy.views.sort()).toEqual(['/p/a', '/p/a', '/p/b', '/twice']);
  });

  it('no page that is not there', async () => {
    for (const pageview of ['server', 'browser'] as const) {
      const site = await stage.open({ pageview });
      const page = await stage.arrive();
      await page.goto(`${site.url}/p/a`);
      await page.goto(`${site.url}/missing`);
      await stage.expectTotal(site, page, 1);
      expect(site.proxy.views).toEqual(pageview === 'server' ? [] : ['/p/a']);
    }
  });

  it.each(['server', 'browser'] as const)(
    'a page once behind a proxy that removes the marks: pageview %s',
    async (pageview) => {
      const site = await stage.open({ pageview });
      site.proxy.dropsMarks = true;
      const page = await stage.arrive();
      await page.goto(`${site.url}/p/a`);
      await waitUntil('the message', () => site.proxy.views.length === 1);
      expect(site.proxy.messages[0]).toMatchObject({ view: '/p/a', unsure: true });
      // The browser itself tells that a page is not there.
      await page.goto(`${site.url}/missing`);
      await page.goto(`${site.url}/p/a`);
      await waitUntil('the message of the page that is there', () => site.proxy.views.length > 1);
      await page.evaluate(`history.pushState(0, '', '/spa/x')`);
      await stage.expectTotal(site, page, 3);
      expect(site.proxy.views).toEqual(['/p/a', '/p/a', '/spa/x']);
    },
  );

  it('a message that comes twice once', async () => {
    const site = await stage.open();
    const page = await stage.arrive();
    await page.goto(`${site.url}/p/a`);
    site.proxy.repeatsMessages = true;
    for (const path of ['/spa/x', '/spa/y']) await run(page, `history.pushState(0, '', '${path}')`);
    await waitUntil('the last message', () => site.proxy.views.includes('/spa/y'));
    await stage.expectTotal(site, page, site.proxy.views.length + 1);
  });

  it('a page that was fetched ahead once it is shown', async () => {
    const site = await stage.open();
    const page = await stage.arrive();
    await page.goto(`${site.url}/ahead`);
    await waitUntil('the page is fetched', () => site.proxy.passed.includes('GET /p/ahead'));
    await stage.expectTotal(site, page, 1);
    expect(site.proxy.views).toEqual([]);
    await page.goto(`${site.url}/ahead`);
    await waitUntil(
      'the page is fetched again',
      () => site.proxy.passed.filter((each) => each.endsWith('/ahead')).length === 4,
    );
    await follow(page, '/p/ahead');
    await stage.expectTotal(site, page, 3);
    // Whichever way the browser took: the server has counted it, or the script.
    expect(site.proxy.views.length).toBeLessThanOrEqual(1);
  });

  it('the page on which the tag comes with the visitor’s consent', async () => {
    const site = await stage.open({ consent: ({ headers }) => (headers.cookie?.includes('agreed') ? 'all' : 'none') });
    const page = await stage.arrive();
    await page.goto(`${site.url}/p/a`);
    await run(page, `history.pushState(0, '', '/spa/x')`);
    expect(await visitorOf(page.context())).toBeUndefined();
    await page.goto(`${site.url}/without`);
    const src = /src="([^"]+)"/.exec(await (await fetch(`${site.url}/missing`)).text())![1]!;
    await run(
      page,
      `document.cookie = 'agreed=1'; document.head.append(Object.assign(document.createElement('script'), { src: '${src}' }))`,
    );
    await waitUntil('a visitor', async () => (await visitorOf(page.context())) !== undefined);
    await stage.expectTotal(site, page, 1);
    expect(site.proxy.views.at(-1)).toBe('/without');
  });
});
