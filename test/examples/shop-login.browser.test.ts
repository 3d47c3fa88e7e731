import { readFileSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../dist/service/index.js';
import { BROWSER_ARGS, findBrowser } from '../support/find-browser.ts';
import { formsOfToken, placesOf } from '../support/grep-redis.ts';
import { complaintsOf, openService, openShop, type Shop, tokenOfCookie } from '../support/shop-stage.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const executablePath = findBrowser();
const FAINT_TEXTS = readFileSync(new URL('../support/faint-texts.js', import.meta.url), 'utf8');
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const STEP_DEADLINE_MS = 30_000;
const LOOKS = [
  { width: 390, colorScheme: 'light' },
  { width: 390, colorScheme: 'dark' },
  { width: 1280, colorScheme: 'light' },
] as const;

describe.skipIf(executablePath === undefined)('a login to the shop in a browser', () => {
  const redis = useRedis({ persistence: true, eachTest: 'kept' });
  let service: Service;
  let shop: Shop;
  let browser: Browser;
  let contexts: BrowserContext[] = [];
  let complaints: string[][] = [];
  const tokens = new Set<string>();

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
    for (const context of contexts) await context.close();
    contexts = [];
    complaints = [];
  });

  /** Another browser, with cookies of its own. */
  const arrive = async (options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> => {
    const context = await browser.newContext(options);
    contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(STEP_DEADLINE_MS);
    complaints.push(complaintsOf(page, shop));
    page.on('response', async (response) => {
      const setCookie = await response.headerValue('set-cookie').catch(() => null);
      const token = tokenOfCookie(/^shop\.sid=([^;]*)/.exec(setCookie ?? '')?.[1] ?? '');
      if (token !== '') tokens.add(token);
    });
    await page.goto(shop.url);
    return page;
  };
  const logIn = async (page: Page, name: string): Promise<void> => {
    await page.getByRole('link', { name: 'Log in' }).click();
    await page.getByLabel('Your name').fill(name);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('link', { name: `Your devices, logged in as ${name}` }).waitFor();
  };
  const account = (page: Page) => page.locator('[data-account]').getAttribute('data-account');
  const toDevices = async (page: Page): Promise<void> => {
    await page.getByRole('link', { name: /^Your devices/ }).click();
    await page.getByRole('heading', { level: 1, name: 'Your devices' }).waitFor();
  };
  const labels = (page: Page) => page.locator('[data-device] h2 > bdi').allTextContents();

  it('a cart and a login, seen from two browsers; one is logged out from the other', async () => {
    const first = await arrive();
    await first.getByRole('button', { name: 'Add to cart: Television' }).click();
    await first.getByRole('heading', { level: 1, name: 'Television' }).waitFor();
    await first.getByRole('button', { name: 'One more: Television' }).click();
    await first.locator('[data-in-cart="2"]').waitFor();
    await logIn(first, 'Ann');
    expect(await first.getByRole('navigation').getByRole('link', { name: 'Cart 2 things' }).count()).toBe(1);
    const pages = Number(await first.locator('footer').getAttribute('data-total-pages'));
    expect(pages).toBe(5);

    const second = await arrive({ userAgent: FIREFOX });
    await logIn(second, 'Ann');
    await toDevices(second);
    expect((await labels(second)).sort()).toEqual(['Chrome on Linux', 'Firefox on Linux']);
    const own = second.locator('[data-this-device]');
    expect(await own.locator('h2').textContent()).toBe('Firefox on Linux this device');
    await second.getByRole('button', { name: 'Log out: Chrome on Linux' }).click();
    await second.locator('[data-ended="1"]').waitFor();
    expect(await labels(second)).toEqual(['Firefox on Linux']);

    expect(await account(first)).toBe('in');
    await first.reload();
    expect([await account(first), await first.locator('[data-items]').count()]).toEqual(['out', 0]);
    expect(await account(second)).toBe('in');
    expect(complaints).toEqual([[], []]);
  });

  it('everywhere else, and everywhere', async () => {
    const [one, two, three] = [await arrive(), await arrive(), await arrive()];
    for (const page of [one, two, three]) await logIn(page, 'Bea');
    await toDevices(one);
    await one.getByRole('button', { name: 'Log out everywhere else' }).click();
    await one.locator('[data-ended="2"]').waitFor();
    expect(await one.getByRole('button', { name: 'Log out everywhere else' }).count()).toBe(0);
    for (const page of [two, three]) {
      await page.reload();
      expect(await account(page)).toBe('out');
    }
    await logIn(two, 'Bea');
    await one.getByRole('button', { name: 'Log out everywhere' }).click();
    await one.locator('[data-account="out"]').waitFor();
    await two.reload();
    expect(await account(two)).toBe('out');
    expect(complaints).toEqual([[], [], []]);
  });

  it('what is wrong with a name is said beside it', async () => {
    const page = await arrive();
    await page.getByRole('link', { name: 'Log in' }).click();
    expect(await page.getByText('No password').count()).toBe(1);
    // The browser's own check would keep it back.
    await page.locator('form').evaluate((form) => (form as unknown as { noValidate: boolean }).noValidate = true); // biome-ignore format: short
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').textContent()).toBe('Please tell us a name.');
    const field = page.getByLabel('Your name');
    expect([await field.getAttribute('aria-invalid'), await field.getAttribute('aria-describedby')]).toEqual([
      'true',
      'problem hint',
    ]);
    expect(await page.locator(':focus').getAttribute('id')).toBe('name');
  });

  it.each(LOOKS)('the pages fit and can be read: $width px, $colorScheme', async ({ width, colorScheme }) => {
    const page = await arrive({ viewport: { width, height: 844 }, colorScheme });
    const expectFit = async (what: string): Promise<void> => {
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
      expect([what, overflow <= 0, ...(await page.evaluate<string[]>(FAINT_TEXTS))]).toEqual([what, true]);
      const names = await page
        .locator('button, a')
        .evaluateAll((controls) => controls.map(({ textContent }) => textContent?.trim()));
      expect(names).not.toContain('');
    };
    for (const item of ['tv', 'tv-mount']) {
      await page.goto(`${shop.url}/added/${item}`);
      await page.getByRole('button', { name: /^Add to cart/ }).click();
      await page.locator('[data-in-cart="1"]').waitFor();
      await expectFit(item);
    }
    const name = `${'W'.repeat(39)}${width % 10}`;
    await logIn(page, name);
    await logIn(await arrive({ userAgent: FIREFOX }), name);
    for (const path of ['/', '/cart', '/confirm-purchase', '/devices', '/devices?ended=1', '/login']) {
      await page.goto(shop.url + path);
      expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
      await expectFit(path);
    }
    expect(await account(page)).toBe('in');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.locator('[data-account="out"]').waitFor();
  });

  it('Redis killed and started: still logged in, with cart and figures, and nothing complains', async () => {
    const page = await arrive();
    await page.getByRole('button', { name: 'Add to cart: Soundbar' }).click();
    await page.getByRole('heading', { level: 1, name: 'Soundbar' }).waitFor();
    await logIn(page, 'Cleo');
    redis.kill('SIGKILL');
    await page.reload();
    expect(await page.locator('[data-away]').textContent()).toContain('Nothing is lost');
    expect(await account(page)).toBe('unknown');
    await redis.restart();
    await waitUntil('the session to be back', async () => {
      await page.reload();
      return (await account(page)) === 'in';
    });
    expect(await page.locator('[data-items]').getAttribute('data-items')).toBe('1');
    await waitUntil('the figures to be back', async () => {
      await page.reload();
      return Number(await page.locator('footer').getAttribute('data-total-pages')) > 3;
    });
    expect(complaints).toEqual([[]]);
  });

  it('Redis holds no token of any of these browsers', async () => {
    expect(tokens.size).toBeGreaterThan(10);
    expect(await placesOf(redis.url, [...tokens].flatMap(formsOfToken))).toEqual([]);
  });
});
