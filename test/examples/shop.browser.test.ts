import { readFileSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../dist/service/index.js';
import { BROWSER_ARGS, findBrowser } from '../support/find-browser.ts';
import { complaintsOf, openService, openShop, type Shop } from '../support/shop-stage.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const executablePath = findBrowser();
const FAINT_TEXTS = readFileSync(new URL('../support/faint-texts.js', import.meta.url), 'utf8');
// Well below the test's own limit, so that it can say where it waited.
const STEP_DEADLINE_MS = 30_000;

describe.skipIf(executablePath === undefined)('the shop in a browser', () => {
  const redis = useRedis({ eachTest: 'kept' });
  let service: Service;
  let shop: Shop;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    service = await openService(redis.url);
    shop = await openShop({ redis: redis.url, deadlineMs: 5_000 });
    browser = await chromium.launch({ executablePath: executablePath!, args: [...BROWSER_ARGS] });
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.close();
    await service?.stop();
  });
  afterEach(async () => {
    await context.close();
  });

  /** A new visitor; what its browser complains about, and what it asks of others, is kept. */
  const arrive = async (options: Parameters<Browser['newContext']>[0] = {}): Promise<void> => {
    context = await browser.newContext(options);
    page = await context.newPage();
    page.setDefaultTimeout(STEP_DEADLINE_MS);
    complaints = complaintsOf(page, shop);
    await page.goto(shop.url);
  };
  const footer = () => page.locator('footer#session-stats');
  const figures = async (): Promise<(string | null)[]> =>
    Promise.all(['data-state', 'data-total-pages', 'data-unique-pages'].map((name) => footer().getAttribute(name)));
  const navigate = (label: RegExp) => page.getByRole('navigation').getByRole('link', { name: label }).click();

  it('the whole visit: welcome, television and mount, the cable, a notice, the service away and back', async () => {
    await arrive();
    expect(await figures()).toEqual(['live', '1', '1']);
    expect(await page.locator('[data-welcome="new"]').textContent()).toContain('Welcome!');
    expect(await page.locator('[data-featured]').count()).toBe(6);

    await page.getByRole('button', { name: 'Add to cart: Television' }).click();
    await page.getByRole('heading', { level: 1, name: 'Television' }).waitFor();
    expect(await figures()).toEqual(['live', '2', '2']);
    expect(await page.locator('[data-welcome]').count()).toBe(0);

    await navigate(/^Shop$/);
    expect(await page.locator('[data-featured="/added/tv"]').count()).toBe(0);
    await page.getByRole('button', { name: 'Add to cart: TV wall mount' }).click();
    await page.getByRole('heading', { level: 1, name: 'TV wall mount' }).waitFor();
    expect(await figures()).toEqual(['live', '4', '3']);

    await page.getByRole('link', { name: 'To the cart' }).click();
    await page.getByRole('link', { name: 'To the checkout' }).click();
    expect(await page.locator('[data-order]').allTextContents()).toEqual([
      '1 × Television € 649',
      '1 × TV wall mount € 59',
    ]);
    const suggestion = page.locator('[data-suggestion="hdmi-cable"]');
    expect(await suggestion.getByRole('heading').textContent()).toBe('An HDMI cable');
    expect(await suggestion.locator('[data-reason]').textContent()).toContain('cable in the box');
    const because = suggestion.locator('[data-because] a');
    expect(await because.evaluateAll((links) => links.map((link) => link.getAttribute('href')))).toEqual([
      '/added/tv',
      '/added/tv-mount',
    ]);

    const bell = page.getByRole('banner').getByRole('link', { name: /^Notices/ });
    await page.getByRole('banner').getByRole('link', { name: 'Notices 3 new' }).click();
    await page.getByRole('button', { name: 'Mark as read: Repair café on Saturday' }).click();
    await page.locator('[data-notification="repair-cafe"][data-read="true"]').waitFor();
    expect(await page.locator('[data-notification][data-read="false"]').count()).toBe(2);
    await page.getByRole('button', { name: 'Mark all as read' }).click();
    await waitUntil('all are read', async () => (await page.locator('li[data-read="false"]').count()) === 0);
    expect(await bell.locator('[data-badge]').isVisible()).toBe(false);
    const [, totalBefore] = await figures();
    expect(complaints).toEqual([]);

    await service.stop();
    for (const label of [/^Shop$/, /^Cart 2 things$/, /^Checkout$/, undefined]) {
      await (label ? navigate(label) : bell.click());
      expect(await figures()).toEqual(['degraded', null, null]);
      expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    }
    expect(await footer().textContent()).toContain('taking a short break');
    expect(await page.locator('li[data-notification]').count()).toBe(3);
    expect(await page.locator('[data-read-state="unknown"]').count()).toBe(1);

    service = await openService(redis.url);
    await waitUntil('the footer to be live again', async () => {
      await page.reload();
      return (await footer().getAttribute('data-state')) === 'live';
    });
    expect(Number(await footer().getAttribute('data-total-pages'))).toBeGreaterThan(Number(totalBefore));
    expect(await page.locator('li[data-read="true"]').count()).toBe(3);
    expect(complaints).toEqual([]);
  });

  it('what a visitor writes into the address stays text', async () => {
    await arrive();
    const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    await page.goto(`${shop.url}/added/${encodeURIComponent(evil)}`);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('<img src=x');
    expect(await page.locator('main img, script:not([src^="/"])').count()).toBe(0);
    expect(await page.title()).toContain('<img src=x');
    expect(complaints).toEqual([]);
  });

  it('the keyboard reaches the content, and every control says what it does', async () => {
    await arrive();
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').textContent()).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    expect(await page.locator(':focus').getAttribute('id')).toBe('content');
    await page.getByRole('link', { name: /^Notices/ }).click();
    await page.getByRole('heading', { level: 1, name: 'Notices' }).waitFor();
    const names = await page
      .locator('button, a')
      .evaluateAll((controls) => controls.map(({ textContent }) => textContent?.trim()));
    expect(names).not.toContain('');
    expect(await page.getByRole('link', { name: /^Notices/ }).getAttribute('aria-current')).toBe('page');
  });

  it.each(['light', 'dark'] as const)(
    'nothing is wider than a telephone, and text can be read: %s',
    async (colorScheme) => {
      await arrive({ viewport: { width: 390, height: 844 }, colorScheme });
      for (const path of [
        '/',
        '/added/tv',
        `/added/${'x'.repeat(200)}`,
        '/added/tv-mount',
        '/cart',
        '/confirm-purchase',
        '/login',
        '/notifications',
        '/nope',
      ]) {
        await page.goto(shop.url + path);
        expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBeLessThanOrEqual(0);
        expect([path, ...(await page.evaluate<string[]>(FAINT_TEXTS))]).toEqual([path]);
      }
    },
  );
});
