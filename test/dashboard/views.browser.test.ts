import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkAccessibility } from '../support/check-accessibility.ts';
import { type DashboardStage, openDashboardStage } from '../support/dashboard-stage.ts';
import { BROWSER_ARGS, findBrowser } from '../support/find-browser.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* The pages of a subject, notices and rules beside an open shop: what is done there shows in the shop. */

const executablePath = findBrowser();
const STEP_DEADLINE_MS = 30_000;
const EVIL = `"'><script>document.title='evil'</script><img src=x onerror="document.title='evil'">`;
const RTL = 'שלום \u202eevil\u202c';
const LONG = 'é'.repeat(1_024);
const FOUND = { baskets: 6, of: 10, confidence: 0.9, lift: 1.7, from: EVIL, at: '2026-11-22T12:00:00.000Z' };
const draft = (name: string, seen: string, suggest: string, reason: string) => ({
  name,
  when: { all: [{ seen }] },
  suggest,
  reason,
  unless: { seen: suggest },
  found: FOUND,
});
const DRAFTS = {
  drafts: [
    draft('console-plug', '/added/game-console', '/added/smart-plug', 'Often bought together.'),
    draft(`${EVIL} ${RTL}`, LONG, `/${EVIL}`, RTL),
    draft('not-this-one', '/added/tv', '/added/lamp', ''),
  ],
};

describe.skipIf(executablePath === undefined)('the dashboard beside the shop', () => {
  const redis = useRedis({ eachTest: 'kept' });
  let stage: DashboardStage;
  let browser: Browser;
  let contexts: BrowserContext[] = [];
  let complaints: string[] = [];

  beforeAll(async () => {
    stage = await openDashboardStage(redis.url, DRAFTS);
    browser = await chromium.launch({ executablePath: executablePath!, args: [...BROWSER_ARGS] });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await stage?.close();
  });
  afterEach(async () => {
    for (const context of contexts) await context.close();
    contexts = [];
    expect(complaints).toEqual([]);
  });

  /** A browser with cookies of its own, at an address. */
  const arrive = async (url: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> => {
    const context = await browser.newContext(options);
    contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(STEP_DEADLINE_MS);
    complaints = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('dialog', (dialog) => complaints.push(dialog.message()));
    page.on('request', (request) => {
      const isOurs = [stage.shop.url, stage.dashboard.url].some((each) => request.url().startsWith(each));
      if (!isOurs) complaints.push(request.url());
    });
    await page.goto(url);
    return page;
  };
  const toShop = (path = '/') => arrive(stage.shop.url + path);
  const toDashboard = async (view: string, options?: Parameters<Browser['newContext']>[0]): Promise<Page> => {
    const page = await arrive(stage.dashboard.url + view, options);
    await page.locator('#state[data-state="Live"]').waitFor();
    return page;
  };
  const logIn = async (page: Page, name: string): Promise<void> => {
    await page.goto(`${stage.shop.url}/login`);
    await page.getByLabel('Your name').fill(name);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('link', { name: `Your devices, logged in as ${name}` }).waitFor();
  };
  const writeNotice = async (page: Page, group: string, title: string, text: string): Promise<void> => {
    await page.getByLabel('To', { exact: true }).selectOption('group');
    await page.getByLabel('Its name or id').fill(group);
    await page.getByLabel('Title').fill(title);
    await page.getByLabel('Text', { exact: true }).fill(text);
    await page.getByRole('button', { name: 'Publish' }).click();
  };
  const rowOf = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text });

  it('a notice that is written there appears in the shop’s open page; changed and withdrawn it follows', async () => {
    const shop = await toShop('/notifications');
    const inShop = (text: string) => shop.locator('li.notice').filter({ hasText: text });
    const page = await toDashboard('notices');
    await writeNotice(page, 'customers', `Fresh ${EVIL}`, `One ${RTL}`);
    await inShop('Fresh').waitFor();
    expect(await inShop('Fresh').getByRole('heading').textContent()).toContain(`Fresh ${EVIL}`);
    await rowOf(page, 'Fresh').waitFor();
    expect(await rowOf(page, 'Fresh').getByRole('strong').textContent()).toBe(`Fresh ${EVIL}`);
    expect([await page.title(), await page.locator('#root script, #root img').count()]).toEqual([
      'Notices · Sessionwise',
      0,
    ]);
    await rowOf(page, 'Fresh').getByRole('button', { name: /^Edit/ }).click();
    const form = page.locator('section').filter({ has: page.getByRole('heading', { name: /^Edit/ }) });
    await form.getByLabel('Text', { exact: true }).fill('Changed text');
    await form.getByRole('button', { name: 'Save the changes' }).click();
    await inShop('Changed text').waitFor();
    await rowOf(page, 'Changed text')
      .getByRole('button', { name: /^Over time/ })
      .click();
    await page.getByText('How many had seen and read it by then').first().waitFor();
    await page.locator('.plot canvas').waitFor();
    await rowOf(page, 'Changed text')
      .getByRole('button', { name: /^Withdraw/ })
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'Withdraw' }).click();
    await inShop('Changed text').waitFor({ state: 'detached' });
    await rowOf(page, 'Changed text').waitFor({ state: 'detached' });
  }, 120_000);

  it('what is wrong with a notice stands beside its field, and nothing that was typed is lost', async () => {
    const page = await toDashboard('notices');
    await page.getByText('Id and further fields').click();
    await page.getByLabel('Fields for the page').fill('{"link":');
    await writeNotice(page, 'customers', 'Kept title', 'Kept text');
    const field = page.getByLabel('Fields for the page');
    await page.locator('[aria-invalid]').waitFor();
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(await page.locator('#write-data-problem').textContent()).toContain('is no JSON');
    expect(await field.evaluate('document.activeElement.id')).toBe('write-data');
    await field.fill('{}');
    await page.getByLabel('Its name or id').fill('no such < name');
    await page.getByRole('button', { name: 'Publish' }).click();
    await page.locator('#write-to[aria-invalid]').waitFor();
    expect(await page.locator('#write-to-problem').textContent()).toContain('cannot be used');
    const typed = ['Title', 'Text', 'Fields for the page'].map((label) =>
      page.getByLabel(label, { exact: true }).inputValue(),
    );
    expect(await Promise.all(typed)).toEqual(['Kept title', 'Kept text', '{}']);
    // Half-typed texts survive new data, too.
    await page.getByLabel('Its name or id').fill('customers');
    await page.getByRole('button', { name: 'Publish' }).click();
    await rowOf(page, 'Kept title').waitFor();
    expect(await page.getByLabel('Text', { exact: true }).inputValue()).toBe('');
  }, 120_000);

  it('a draft that is approved there is suggested in the shop, and one that is rejected goes', async () => {
    const shop = await toShop('/added/game-console');
    const page = await toDashboard('rules');
    const card = (name: string) => page.getByRole('article', { name: `Draft ${name}`, exact: true });
    const evil = card(`${EVIL} ${RTL}`);
    expect(await evil.getByRole('heading').textContent()).toBe(`${EVIL} ${RTL}`);
    expect(await evil.textContent()).toContain(LONG);
    expect([await page.title(), await page.locator('#root script, #root img').count()]).toEqual([
      'Rules · Sessionwise',
      0,
    ]);
    await card('console-plug')
      .getByRole('button', { name: /^Approve/ })
      .click();
    await rowOf(page, 'console-plug').waitFor();
    await card('console-plug').waitFor({ state: 'detached' });
    await waitUntil(
      'the shop suggests it',
      async () => {
        await shop.goto(`${stage.shop.url}/confirm-purchase`);
        return (await shop.locator('[data-suggestion="console-plug"]').count()) === 1;
      },
      60_000,
    );
    // It fired and was shown; these numbers are written every five seconds.
    await waitUntil(
      'it is counted',
      async () => Number(await rowOf(page, 'console-plug').getByRole('cell').nth(2).textContent()) > 0,
      60_000,
    );
    // The answer comes behind the new data: what is drawn then must not be older.
    await page.route('**/rules/reject', async (route) => {
      const response = await route.fetch();
      await card('not-this-one').waitFor({ state: 'detached' });
      await route.fulfill({ response });
    });
    await card('not-this-one')
      .getByRole('button', { name: /^Reject/ })
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reject' }).click();
    await page.getByText('Rejected not-this-one.').waitFor();
    expect(await card('not-this-one').count()).toBe(0);
  }, 120_000);

  it('a session that is ended there: the next page of its browser is logged out, and the other’s is not', async () => {
    const [first, second] = [await toShop(), await toShop()];
    await logIn(first, 'Ann');
    await logIn(second, 'Ann');
    const page = await toDashboard('subject');
    await page.getByLabel('User id').fill('Ann');
    await page.locator('form').filter({ hasText: 'User id' }).getByRole('button').click();
    await page.getByRole('heading', { name: /^Person [0-9a-z]{25}_$/ }).waitFor();
    expect(new URL(page.url()).search).toMatch(/^\?id=[0-9a-z]{25}_$/);
    const devices = page.getByRole('region', { name: 'Sessions of this user' }).locator('tbody tr');
    expect(await devices.count()).toBe(2);
    const account = async (each: Page) => {
      await each.goto(stage.shop.url);
      return each.locator('[data-account]').getAttribute('data-account');
    };
    await devices
      .last()
      .getByRole('button', { name: /^End this session/ })
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'End this session' }).click();
    await waitUntil('one is left', async () => (await devices.count()) === 1, STEP_DEADLINE_MS);
    expect([await account(first), await account(second)].sort()).toEqual(['in', 'out']);
  }, 120_000);

  it('why a visitor is suggested something or not, and whether an item was seen, only when it is asked', async () => {
    const shop = await toShop('/added/tv');
    await shop.goto(`${stage.shop.url}/added/soundbar`);
    await logIn(shop, 'Bea');
    const page = await toDashboard('subject');
    await page.getByLabel('User id').fill('Bea');
    await page.locator('form').filter({ hasText: 'User id' }).getByRole('button').click();
    await page.getByRole('heading', { name: /^Person/ }).waitFor();
    const why = page.locator('details').filter({ hasText: /^headphones/ });
    await waitUntil('it knows the views', async () => /viewed 2 of 3 pages/.test((await why.textContent()) ?? ''));
    await why.locator('summary').click();
    expect(await why.locator('li').first().isVisible()).toBe(true);
    expect(await page.getByRole('img', { name: /^Active minutes by hour: / }).count()).toBeGreaterThan(0);
    const probe = async (item: string): Promise<string> => {
      await page.getByLabel('Page or item').fill(item);
      await page.getByRole('button', { name: 'Look' }).click();
      const status = page.locator('section[aria-labelledby="probe-title"] [role="status"]');
      await waitUntil('it answers', async () => ((await status.textContent()) ?? '').endsWith(item), STEP_DEADLINE_MS);
      return (await status.textContent())!;
    };
    expect(await probe('/added/tv')).toBe('Seen, viewed as a page: /added/tv');
    expect(await probe(EVIL)).toBe(`Not seen: ${EVIL}`);
    expect(await probe(LONG)).toBe(`Not seen: ${LONG}`);
    expect(await page.title()).toBe('Subject · Sessionwise');
    expect(stage.dashboard.log()).toContain('Looked whether a subject has seen an item.');
    for (const name of ['/added/tv', 'Bea', 'script']) expect(stage.dashboard.log()).not.toContain(name);
  }, 120_000);

  it.each([
    { width: 390, colorScheme: 'light' },
    { width: 1280, colorScheme: 'dark' },
  ] as const)(
    'have no serious finding of axe-core, and scroll to no side: %j',
    async ({ width, colorScheme }) => {
      const shop = await toShop('/added/tv');
      await logIn(shop, 'Cleo');
      const options = { viewport: { width, height: 900 }, colorScheme };
      const found: Record<string, string[]> = {};
      for (const view of ['subject', 'notices?group=customers', 'rules']) {
        const page = await toDashboard(view, options);
        if (view === 'subject') {
          await page.getByLabel('User id').fill('Cleo');
          await page.locator('form').filter({ hasText: 'User id' }).getByRole('button').click();
          await page.getByRole('heading', { name: /^Person/ }).waitFor();
          await page.locator('details summary').first().click();
        }
        if (view.startsWith('notices')) {
          await page.getByText('Id and further fields').click();
          await page
            .getByRole('button', { name: /^Over time/ })
            .first()
            .click();
          await page.getByRole('heading', { name: /^Seen and read over time/ }).waitFor();
        }
        found[view] = await checkAccessibility(page);
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        if (Number(overflow) > 0) found[view].push(`${overflow} pixels too wide`);
      }
      expect(found).toEqual({ subject: [], 'notices?group=customers': [], rules: [] });
    },
    120_000,
  );
});
