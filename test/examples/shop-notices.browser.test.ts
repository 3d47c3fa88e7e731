import { readFileSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SessionClient } from '../../dist/index.js';
import type { Service } from '../../dist/service/index.js';
import { BROWSER_ARGS, findBrowser } from '../support/find-browser.ts';
import { complaintsOf, openService, openShop, type Shop } from '../support/shop-stage.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* The shop's notices in browsers: what is written in one window appears in the others. */

const executablePath = findBrowser();
const FAINT_TEXTS = readFileSync(new URL('../support/faint-texts.js', import.meta.url), 'utf8');
const STEP_DEADLINE_MS = 30_000;
const EVIL = '<img src=x onerror="document.title=1">';
/** Notes in the page each text that a screen reader is told. */
const LISTENING = `
  window.said = [];
  const status = document.querySelector('[data-announce]');
  new MutationObserver(() => said.push(status.textContent)).observe(status, { childList: true });
`;
/** Marks the document, so that a test sees that it was not loaded anew. */
const STAYING = `window.isSame = true`;

describe.skipIf(executablePath === undefined)('the shop’s notices in browsers', () => {
  const redis = useRedis({ eachTest: 'kept' });
  let service: Service;
  let shop: Shop;
  let browser: Browser;
  let client: SessionClient;
  const closing: (() => Promise<void>)[] = [];
  let complaints: string[][] = [];

  beforeAll(async () => {
    service = await openService(redis.url);
    shop = await openShop({ redis: redis.url, deadlineMs: 5_000, demo: true });
    client = new SessionClient({ redis: redis.url });
    expect(await client.ready()).toBe(true);
    browser = await chromium.launch({ executablePath: executablePath!, args: [...BROWSER_ARGS] });
  });
  afterAll(async () => {
    await browser?.close();
    await client?.close();
    await shop?.close();
    await service?.stop();
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    complaints = [];
    // Each test begins with the shop's own.
    for (const { id } of await client.notices.list({ group: 'customers' })) {
      if (id.startsWith('written-')) await client.notices.withdraw(id);
    }
  });

  /** Another browser, with cookies of its own. */
  const arrive = async (options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> => {
    const context = await browser.newContext(options);
    closing.push(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(STEP_DEADLINE_MS);
    complaints.push(complaintsOf(page, shop));
    await page.goto(shop.url);
    return page;
  };
  /** Another window of the same browser. */
  const windowOf = async (page: Page, path: string): Promise<Page> => {
    const other = await page.context().newPage();
    other.setDefaultTimeout(STEP_DEADLINE_MS);
    await other.goto(shop.url + path);
    await other.evaluate(STAYING);
    return other;
  };
  const logIn = async (page: Page, name: string): Promise<void> => {
    await page.goto(`${shop.url}/login`);
    await page.getByLabel('Your name').fill(name);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('link', { name: `Your devices, logged in as ${name}` }).waitFor();
  };
  const write = async (page: Page, title: string, fields: { readonly to: string; readonly text?: string }) => {
    await page.goto(`${shop.url}/write-a-notice`);
    await page.getByLabel(fields.to).check();
    await page.getByLabel('Please note').check();
    await page.getByLabel('Title').fill(title);
    await page.getByLabel('Text', { exact: true }).fill(fields.text ?? title);
    await page.getByRole('button', { name: 'Send it' }).click();
    await page.locator('[data-written]').waitFor();
  };
  const badge = (page: Page): Promise<string | null> => page.locator('[data-bell]').getAttribute('data-unseen');
  const shows = (page: Page, count: string): Promise<void> =>
    waitUntil(`a bell of ${count}`, async () => (await badge(page)) === count);
  const item = (page: Page, title: string) => page.locator('li.notice').filter({ hasText: title });
  const readOf = (page: Page, title: string) => item(page, title).getAttribute('data-read');
  const isSame = (page: Page) => page.evaluate('window.isSame === true');

  it('one that is written in one window appears in the others, on the bell and in the list, as text', async () => {
    const [writer, reader] = [await arrive(), await arrive()];
    await reader.evaluate(STAYING);
    expect(await badge(reader)).toBe('3');
    const open = await windowOf(reader, '/notifications');
    await shows(reader, '0');
    await write(writer, `Fresh ${EVIL}`, { to: 'All customers', text: `One ${EVIL}` });
    await item(open, 'Fresh').waitFor();
    expect(await item(open, 'Fresh').getByRole('heading').textContent()).toBe(`Unread: Fresh ${EVIL}`);
    expect(await item(open, 'Fresh').locator('[data-text]').textContent()).toBe(`One ${EVIL}`);
    expect(await item(open, 'Fresh').locator('[data-word]').textContent()).toBe('Please note');
    expect(await open.locator('main img').count()).toBe(0);
    expect(await open.locator('li.notice').first().textContent()).toContain('Fresh');
    // The list was looked at, so the bell of the other window has no number any more; the writer's has.
    await shows(open, '0');
    await shows(reader, '0');
    await shows(writer, '4');
    expect([await isSame(reader), await isSame(open)]).toEqual([true, true]);
    expect(complaints.flat()).toEqual([]);
  });

  it('of one person: what is read on one device is read on the other, and its bell falls', async () => {
    const [desk, phone] = [await arrive(), await arrive()];
    for (const page of [desk, phone]) await logIn(page, 'Ann');
    await write(desk, 'Only hers', { to: 'Only me, wherever I am logged in' });
    await shows(phone, '4');
    await phone.evaluate(STAYING);
    const open = await windowOf(desk, '/notifications');
    await shows(phone, '0');
    expect(await isSame(phone)).toBe(true);
    const other = await windowOf(phone, '/notifications');
    expect(await readOf(other, 'Only hers')).toBe('false');
    await open.getByRole('button', { name: 'Mark as read: Only hers' }).click();
    for (const page of [open, other]) {
      await waitUntil('it is read', async () => (await readOf(page, 'Only hers')) === 'true');
    }
    await other.getByRole('button', { name: 'Mark as unread: Only hers' }).click();
    await waitUntil('it is unread', async () => (await readOf(open, 'Only hers')) === 'false');
    await other.getByRole('button', { name: 'Mark all as read' }).click();
    await waitUntil('all are read', async () => (await open.locator('li[data-read="false"]').count()) === 0);
    expect(await open.locator('[data-summary]').textContent()).toBe('You have read them all.');
    expect([await isSame(open), await isSame(other)]).toEqual([true, true]);
    expect(complaints.flat()).toEqual([]);
  });

  it('that is changed or taken away changes in the open list', async () => {
    const page = await arrive();
    await client.notices.publish({ to: { group: 'customers' }, id: 'draft', title: 'Frist words', text: 'T' });
    const open = await windowOf(page, '/notifications');
    await item(open, 'Frist words').waitFor();
    await client.notices.edit('draft', { title: 'First words' });
    await item(open, 'First words').waitFor();
    expect(await item(open, 'Frist words').count()).toBe(0);
    await client.notices.withdraw('draft');
    await item(open, 'First words').waitFor({ state: 'detached' });
    expect(await isSame(open)).toBe(true);
  });

  it('the keyboard stays in the list when its notice goes, and mute and filter work in place', async () => {
    const page = await arrive();
    const open = await windowOf(page, '/notifications?show=unread');
    const count = await open.locator('li.notice').count();
    const first = (await open.locator('li.notice [data-title]').first().textContent())!;
    await open.getByRole('button', { name: `Mark as read: ${first}` }).focus();
    await open.keyboard.press('Enter');
    await item(open, first).waitFor({ state: 'detached' });
    expect(await open.locator('li.notice').count()).toBe(count - 1);
    expect(await open.locator('li.notice').first().locator('[data-mark]:focus').count()).toBe(1);
    await open.getByRole('button', { name: 'Mute what goes to all customers' }).click();
    await open.getByText('New ones will be here').waitFor();
    await open.getByRole('button', { name: 'Show it again' }).click();
    await waitUntil('they are back', async () => (await open.locator('li.notice').count()) === count - 1);
    expect(await isSame(open)).toBe(true);
    await open.getByRole('link', { name: 'All', exact: true }).click();
    await item(open, first).waitFor();
    expect(await readOf(open, first)).toBe('true');
    expect(complaints.flat()).toEqual([]);
  });

  it('a screen reader is told once of several that come at once, and not of those that were read', async () => {
    const page = await arrive();
    await page.goto(`${shop.url}/cart`);
    await page.evaluate(LISTENING);
    const before = Number(await badge(page));
    for (const id of ['a', 'b', 'c']) {
      await client.notices.publish({ to: { group: 'customers' }, id: `loud-${id}`, text: 'T' });
    }
    await shows(page, String(before + 3));
    const said = () => page.evaluate<string[]>('said');
    await waitUntil('it is said', async () => (await said()).length > 0);
    for (const id of ['a', 'b', 'c']) await client.notices.withdraw(`loud-${id}`);
    await shows(page, String(before));
    expect(await said()).toEqual([expect.stringMatching(/^There (is a new notice|are \d new notices)\.$/)]);
  });

  it('without scripts links and forms do the same', async () => {
    const page = await arrive({ javaScriptEnabled: false });
    await page.getByRole('link', { name: /^Notices \d+ new$/ }).click();
    const first = (await page.locator('li.notice [data-title]').first().textContent())!;
    await page.getByRole('button', { name: `Mark as read: ${first}` }).click();
    expect(await readOf(page, first)).toBe('true');
    await page.getByRole('link', { name: 'Unread', exact: true }).click();
    expect(await item(page, first).count()).toBe(0);
    await page.getByRole('button', { name: 'Mute what goes to all customers' }).click();
    expect(await page.locator('li.notice').count()).toBe(0);
    expect(new URL(page.url()).search).toBe('?show=unread');
    await page.getByRole('button', { name: 'Show it again' }).click();
    await page.getByRole('button', { name: 'Mark all as read' }).click();
    expect(await page.getByText('You have read them all. New ones will be here.').count()).toBe(1);
    expect(await page.locator('[data-badge]').isVisible()).toBe(false);
    expect(complaints.flat()).toEqual([]);
  });

  it('the service away and back: the open list says so, and goes on by itself', async () => {
    const page = await arrive();
    const before = await windowOf(page, '/notifications');
    const first = (await before.locator('li.notice [data-title]').first().textContent())!;
    await service.stop();
    await before.getByRole('button', { name: `Mark as read: ${first}` }).click();
    await before.getByText('That did not work right now.').waitFor();
    const during = await windowOf(page, '/notifications');
    expect(await during.locator('[data-read-state="unknown"]').count()).toBe(1);
    expect(await during.locator('li.notice button').count()).toBe(0);
    service = await openService(redis.url);
    await during.getByRole('button', { name: `Mark as read: ${first}` }).click();
    for (const open of [during, before]) {
      await waitUntil('it is read', async () => (await readOf(open, first)) === 'true');
    }
    expect(await during.locator('[data-read-state]').count()).toBe(0);
    expect([await isSame(before), await isSame(during)]).toEqual([true, true]);
  });

  it.each([
    { width: 390, colorScheme: 'light' },
    { width: 390, colorScheme: 'dark' },
    { width: 1280, colorScheme: 'light' },
    { width: 1280, colorScheme: 'dark' },
  ] as const)('bell, list and form fit and can be read: $width px, $colorScheme', async ({ width, colorScheme }) => {
    const page = await arrive({ viewport: { width, height: 844 }, colorScheme });
    const name = 'W'.repeat(40);
    await logIn(page, name);
    for (const [i, severity] of (['info', 'success', 'warning', 'error'] as const).entries()) {
      const notice = { id: `wide-${i}`, title: 'w'.repeat(200), text: 'x'.repeat(300), severity };
      await client.notices.publish({ to: { person: name }, ...notice });
    }
    for (const path of ['/', '/notifications', '/notifications?show=unread', '/write-a-notice?done=yes']) {
      await page.goto(shop.url + path);
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
      expect([path, overflow <= 0, ...(await page.evaluate<string[]>(FAINT_TEXTS))]).toEqual([path, true]);
    }
    const sizes = await page.locator('[data-bell]').boundingBox();
    expect([sizes!.width >= 44, sizes!.height >= 44]).toEqual([true, true]);
  });
});
