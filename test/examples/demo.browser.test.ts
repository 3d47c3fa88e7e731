import { readFileSync } from 'node:fs';
import { type Browser, chromium, type Frame, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { axeFindings } from '../support/axe-findings.ts';
import { AS_A_PERSON, type Demo, openDemo, Panel } from '../support/demo-stage.ts';
import { BROWSER_ARGS, findBrowser } from '../support/find-browser.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const executablePath = findBrowser();
const FAINT_TEXTS = readFileSync(new URL('../support/faint-texts.js', import.meta.url), 'utf8');
// Below the test's own limit, so that it can say where it waited.
const STEP_DEADLINE_MS = 20_000;
const PAGES = ['/', '/added/tv', '/added-sync/tv', '/cart', '/confirm-purchase', '/login', '/notifications', '/nope'];

describe.skipIf(executablePath === undefined)('the panel of the demo', () => {
  const redis = useRedis({ eachTest: 'kept' });
  let demo: Demo;
  let browser: Browser;
  let page: Page;
  let panel: Panel;
  let complaints: string[];

  beforeAll(async () => {
    demo = await openDemo(redis.url);
    browser = await chromium.launch({ executablePath: executablePath!, args: [...BROWSER_ARGS] });
  });
  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
  });
  afterEach(async () => {
    await page.context().close();
    expect(complaints).toEqual([]);
  });

  const arrive = async (options: Parameters<Browser['newContext']>[0] = {}): Promise<void> => {
    page = await (await browser.newContext({ ...AS_A_PERSON, ...options })).newPage();
    page.setDefaultTimeout(STEP_DEADLINE_MS);
    complaints = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      // The page that is asked for and is not there.
      if (!message.text().includes('404')) complaints.push(message.text());
    });
    panel = new Panel(page);
    await page.goto(demo.demoUrl);
    await panel.shows('/');
  };
  const showSecond = async (): Promise<Frame> => {
    await page.locator('[data-second-switch]').click();
    await panel.shows('/', 'second');
    return panel.frame('second');
  };
  const figures = async (frame: Frame): Promise<(string | null)[]> =>
    Promise.all(
      ['data-total-pages', 'data-unique-pages'].map((name) => frame.locator('#session-stats').getAttribute(name)),
    );
  const badge = (frame: Frame): Promise<string> => frame.locator('[data-badge] [data-number]').innerText();
  const add = async (frame: Frame, name: string): Promise<void> => {
    await frame
      .getByRole('button', { name: `Add to cart: ${name}` })
      .first()
      .click();
    await frame.locator('[data-in-cart]').waitFor();
  };
  /** The names of all that Redis knows of visitors and sessions, with the parts of each. */
  const known = async (): Promise<Map<string, string[]>> => {
    const keys = (await redis.redis.command('KEYS', 'sw:{*}:*')) as string[];
    const parts = new Map<string, string[]>();
    for (const key of keys) {
      const [, , name = '', part = ''] = key.split(':');
      if (!name.startsWith('@')) parts.set(name, [...(parts.get(name) ?? []), part]);
    }
    return parts;
  };

  it('shows the calls of a page, their time and their answers: in words, and as code on request', async () => {
    await arrive();
    await panel.open('/');
    const calls = page.locator('[data-call]');
    expect(await calls.evaluateAll((items) => items.map((item) => item.getAttribute('data-call')))).toEqual([
      'sessionwise.unseen',
      'sessionwise.visit',
      'sessionwise.notices.counts',
    ]);
    for (const text of await calls.allInnerTexts()) expect(text).toMatch(/\d ms/);
    expect(await panel.call('sessionwise.visit')).toContain('2 pages so far, 1 of them different.');
    const code = page.locator('[data-code="sessionwise.visit"]');
    expect(await code.locator('pre').first().isVisible()).toBe(false);
    await code.locator('summary').click();
    const [call, answer] = await code.locator('pre').allInnerTexts();
    expect(call).toBe('const visit = await request.sessionwise.visit();');
    const [total, unique] = await figures(await panel.frame());
    expect(answer).toContain(`totalPages: ${total}`);
    expect(answer).toContain(`uniquePages: ${unique}`);
    await panel.open('/added/tv');
    expect(await page.locator('[data-about]').innerText()).toContain('Its content waited for nothing.');
    // The next page leaves open what was opened.
    await panel.open('/cart');
    expect(await code.locator('pre').first().isVisible()).toBe(true);
  });

  it('shows the rule that fired and why, why another has not yet, and that the cart keeps one away', async () => {
    await arrive();
    await panel.open('/added/tv');
    await panel.open('/confirm-purchase');
    expect(await panel.call('sessionwise.suggestions')).toContain('you have not looked at the TV wall mount yet');
    await panel.open('/added/tv-mount');
    await panel.open('/confirm-purchase');
    const fired = page.locator('[data-rule="hdmi-cable"][data-mood="fired"]');
    await fired.waitFor();
    expect(await fired.innerText()).toContain('because you looked at the television and the TV wall mount');
    await page.locator('[data-code="sessionwise.suggestions"] summary').click();
    const blocks = await page.locator('[data-code="sessionwise.suggestions"] pre').allInnerTexts();
    expect(blocks.at(-1)).toContain("name: 'hdmi-cable'");

    const shop = await panel.frame();
    expect(await shop.locator('[data-suggestion]').count()).toBe(1);
    await add(shop, 'HDMI cable');
    await panel.shows('/added/hdmi-cable');
    // The form that led here stands below, with what it noted.
    expect(await panel.call('sessionwise.track')).toContain('you put the HDMI cable into the cart');
    expect(await panel.call('session.increment')).toContain('Your cart has the HDMI cable.');
    expect(await panel.call('sessionwise.taken')).toContain('you took the tip');
    await panel.open('/confirm-purchase');
    expect(await shop.locator('[data-suggestion]').count()).toBe(0);
    await page
      .locator('[data-rule="hdmi-cable"][data-mood="away"]', { hasText: 'no, your cart has the HDMI cable' })
      .waitFor();
    expect(await shop.locator('[data-order="hdmi-cable"]').count()).toBe(1);
  });

  it('what visitors see has no words of developers, which are in the panel alone', async () => {
    await arrive();
    for (const path of PAGES) {
      const frame = await panel.frame();
      await frame.goto(demo.url + path);
      const text = await frame.locator('body').innerText();
      expect(text).not.toMatch(/sessionwise|service|redis|json|\bms\b|\/added|cluster|segment|track/i);
    }
  });

  it('has a second visitor beside the first, whose counts, cart and tips are apart', async () => {
    await arrive();
    await panel.open('/added/tv');
    await panel.open('/added/tv-mount');
    const first = await panel.frame();
    await add(first, 'TV wall mount');
    await panel.open('/');
    const second = await showSecond();
    expect(await figures(second)).toEqual(['1', '1']);
    expect(await page.locator('[data-knows="second"]').innerText()).toBe('1 page seen');
    await panel.open('/confirm-purchase', 'second');
    expect(await second.locator('[data-suggestion]').count()).toBe(0);
    expect(await second.locator('[data-items]').count()).toBe(0);
    await panel.open('/confirm-purchase');
    expect(await first.locator('[data-suggestion="hdmi-cable"]').count()).toBe(1);
    expect(await first.locator('[data-items]').innerText()).toContain('1');
    expect(await figures(second)).toEqual(['2', '2']);
    expect(Number((await figures(first))[0])).toBeGreaterThan(4);
    await page.locator('[data-second-switch]').click();
    expect(await page.locator('[data-frame]:visible').count()).toBe(1);
  });

  it('has the badge on every page, and a notice moves it in both frames at once', async () => {
    await arrive();
    const first = await panel.frame();
    for (const path of PAGES.filter((page) => page !== '/notifications')) {
      await first.goto(demo.url + path);
      await first.locator('[data-badge]:visible').waitFor();
      expect([path, Number(await badge(first))]).toEqual([path, expect.any(Number)]);
    }
    const second = await showSecond();
    const before = Number(await badge(second));
    await panel.press('notice', /It is out/);
    for (const frame of [first, second]) {
      await waitUntil('the bell has moved', async () => Number(await badge(frame)) === before + 1, STEP_DEADLINE_MS);
    }
  });

  it('sends a robot that gets its pages and counts for nothing', async () => {
    await arrive();
    await panel.open('/');
    const before = await known();
    const said = await panel.press('robot', /Counted/);
    expect(said).toMatch(/asked for 5 pages and got 5\. Counted: 0\. .* Cookies that it was given: 0\./);
    const [, was, is] = /(\d+) before, (\d+) after/.exec(said)!;
    expect(is).toBe(was);
    expect(Number(is)).toBeGreaterThan(1);
    expect(await known()).toEqual(before);
    const shop = await panel.frame();
    const [total] = await figures(shop);
    await panel.open('/');
    expect(await figures(shop)).toEqual([String(Number(total) + 1), '1']);
  });

  it('forgets a visitor by an erasure: none of their keys is left, and the other visitor’s are', async () => {
    const others = await known();
    await arrive();
    await panel.open('/added/tv');
    await add(await panel.frame(), 'Television');
    await panel.open('/');
    const own = [...(await known()).keys()].filter((name) => !others.has(name));
    expect(own.length).toBe(2);
    const second = await showSecond();
    const withSecond = [...(await known()).keys()].filter((name) => !others.has(name) && !own.includes(name));
    expect(withSecond.length).toBe(1);

    expect(await panel.press('reset', /Forgotten/)).toMatch(/1 key of what was known, 1 session with a cart/);
    await panel.shows('/');
    const left = await known();
    for (const name of own) {
      // Marks without content, for an hour: so that nothing under way brings anything back.
      expect([...(left.get(name) ?? [])].sort()).toEqual(['k', 's']);
    }
    expect(left.get(withSecond[0]!)).toEqual(['k']);
    const first = await panel.frame();
    await waitUntil('the first visitor is new', async () => (await figures(first))[0] === '1', STEP_DEADLINE_MS);
    expect(await first.locator('[data-welcome="new"]').count()).toBe(1);
    expect(await first.locator('[data-items]').count()).toBe(0);
    // The path begins anew, but for what the other visitor did.
    expect(
      await page
        .locator('[data-step][data-done="true"]')
        .evaluateAll((steps) => steps.map((step) => step.getAttribute('data-step'))),
    ).toEqual(['second']);
    await panel.open('/', 'second');
    expect(await figures(second)).toEqual(['2', '1']);
  });

  it('says so where the browser asks not to be tracked, and nothing is counted', async () => {
    await arrive({ extraHTTPHeaders: { 'Sec-GPC': '1' } });
    expect(await page.locator('[data-about]').innerText()).toContain('asks sites not to track it');
    expect((await page.context().cookies()).map(({ name }) => name)).toEqual(['demo']);
  });

  it.each([
    ['light', 390],
    ['dark', 390],
    ['light', 1280],
    ['dark', 1280],
  ] as const)(
    'has no serious finding of axe-core, and every text can be read: %s, %i pixels',
    async (colorScheme, width) => {
      await arrive({ colorScheme, viewport: { width, height: 844 } });
      if (width < 960) await page.locator('[data-bar]').click();
      await panel.open('/added/tv');
      await panel.open('/added/tv-mount');
      await showSecond();
      for (const path of [...PAGES, '/devices', '/write-a-notice']) {
        const frame = await panel.frame();
        await frame.goto(demo.url + path);
        if (path !== '/nope') await panel.shows(path === '/devices' ? '/login' : path);
        for (const details of await page.locator('[data-code] summary').all()) await details.click();
        for (const document of [page, frame]) {
          expect([path, ...(await axeFindings(document))]).toEqual([path]);
          expect([path, ...(await document.evaluate<string[]>(FAINT_TEXTS))]).toEqual([path]);
        }
        expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBeLessThanOrEqual(0);
        expect(
          await page.evaluate(
            `(() => { const e = document.querySelector('[data-sheet]'); return e.scrollWidth - e.clientWidth; })()`,
          ),
        ).toBeLessThanOrEqual(0);
      }
    },
  );
});
