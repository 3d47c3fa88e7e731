import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SessionClient } from '../../dist/index.js';
import { Keys } from '../../src/redis/index.ts';
import { checkAccessibility } from '../support/check-accessibility.ts';
import { type DashboardProcess, startDashboardProcess } from '../support/dashboard-process.ts';
import { BROWSER_ARGS, findBrowser } from '../support/find-browser.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { useRedis } from '../support/use-redis.ts';

/* The page of health in a browser, over two instances that share the partitions. */

const executablePath = findBrowser();
const SECRET = 'a secret of the tests, long enough';
const TOKEN = 'the token of the tests';
const BROKEN = 'broken';
const DEADLINE_MS = 30_000;

describe.skipIf(executablePath === undefined)('the dashboard’s health in a browser', () => {
  const redis = useRedis({ eachTest: 'kept' });
  const { redis: admin } = redis;
  let services: ServiceProcess[];
  let dashboard: DashboardProcess;
  let client: SessionClient;
  let browser: Browser;
  const closing: (() => Promise<unknown>)[] = [];
  let complaints: string[] = [];

  beforeAll(async () => {
    const serve = () => startServiceProcess(redis.url, SECRET, '--transport', 'streams');
    services = [await serve(), await serve()];
    dashboard = await startDashboardProcess(redis.url, SECRET);
    client = new SessionClient({ redis: redis.url, secret: SECRET, transport: 'streams' });
    browser = await chromium.launch({ executablePath: executablePath!, args: [...BROWSER_ARGS] });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await client?.close();
    await dashboard?.stop();
    await Promise.all((services ?? []).map((service) => service.stop()));
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    complaints = [];
  });

  async function openPage(url = dashboard.url, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext(options);
    closing.push(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(DEADLINE_MS);
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    await page.goto(url);
    return page;
  }

  async function openHealth(options?: BrowserContextOptions): Promise<Page> {
    const page = await openPage(new URL('health', dashboard.url).href, options);
    await page.locator('#state[data-state=Live]').waitFor();
    return page;
  }

  /** Makes a request that fails for good. */
  async function breakOne(): Promise<void> {
    await admin.command('SET', new Keys('sw').subject(BROKEN), 'no record');
    expect(await client.publish('pageview', BROKEN, '/secret-page')).toBe(true);
  }

  it.each(['light', 'dark'] as const)(
    'has no serious finding of axe-core, %s, at 390 and 1,280 pixels',
    async (colorScheme) => {
      await breakOne();
      for (const width of [390, 1280]) {
        const page = await openHealth({ colorScheme, viewport: { width, height: 900 } });
        await page.locator('.letters tbody tr').first().waitFor();
        await page.locator('.doctor dt').first().waitFor();
        await page.locator('.chart .u-over').first().waitFor();
        expect(await checkAccessibility(page)).toEqual([]);
        expect(await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
      }
      expect(complaints).toEqual([]);
    },
  );

  it('shows the instances with their figures, and who owns the partitions', async () => {
    const page = await openHealth();
    for (let i = 0; i < 20; i += 1) await client.request('pageview', `visitor${i}`, '/p');
    for (const { instance } of services) {
      const row = page.locator('.instances tr', { hasText: instance });
      await row.getByText('there', { exact: true }).waitFor();
      await row.getByText('streams').waitFor();
      await row.getByText(/^\d+\.\d+\.\d+/).waitFor();
      await page.locator('.partitions tr', { hasText: instance }).waitFor();
    }
    await page
      .locator('.tile', { hasText: 'Requests a second' })
      .locator('dd', { hasText: /^0\.[1-9]|^[1-9]/ })
      .waitFor();
    await page.locator('.memory tbody tr').first().waitFor();
    expect(complaints).toEqual([]);
  });

  it('lists dead letters without their payloads; they are retried and dropped with the keyboard', async () => {
    const page = await openHealth();
    await breakOne();
    const rows = page.locator('.letters tbody tr');
    await rows.first().waitFor();
    expect(await page.content()).not.toContain('secret-page');
    await admin.command('UNLINK', new Keys('sw').subject(BROKEN));
    await page.getByRole('button', { name: 'Retry all' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText(/^Put back \d+\.$/).waitFor();
    await page.getByText('There are no dead letters.').waitFor();
    await breakOne();
    await rows.first().waitFor();
    await page
      .getByRole('button', { name: /^Drop dead letter/ })
      .first()
      .press('Enter');
    // The first button has the focus: one that asks for nothing.
    await page.keyboard.press('Enter');
    expect(await rows.count()).toBe(1);
    await page
      .getByRole('button', { name: /^Drop dead letter/ })
      .first()
      .press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('It is forgotten.').waitFor();
    await page.getByText('There are no dead letters.').waitFor();
    expect(dashboard.log()).toContain('"action":"drop"');
    expect(complaints).toEqual([]);
  });

  it('keeps focus and open tables while data come in, and the theme for later', async () => {
    const page = await openHealth({ colorScheme: 'light' });
    const summary = page.locator('.chart summary').first();
    await summary.click();
    await page.locator('.chart details[open] tbody tr').first().waitFor();
    const before = await page.locator('.chart details[open] tbody tr').count();
    await expect
      .poll(() => page.locator('.chart details[open] tbody tr').count(), { timeout: DEADLINE_MS })
      .toBeGreaterThan(before);
    expect(await page.evaluate<string>('document.activeElement.tagName')).toBe('SUMMARY');
    await page.getByLabel('Theme').selectOption('dark');
    await page.reload();
    expect(await page.evaluate<string>('document.documentElement.dataset.theme')).toBe('dark');
    expect(complaints).toEqual([]);
  });

  it('asks for the token, and lets who knows it in and out', async () => {
    const guarded = await startDashboardProcess(redis.url, SECRET, ['--read-only'], {
      SESSIONWISE_DASHBOARD_TOKEN: TOKEN,
    });
    closing.push(() => guarded.stop());
    const page = await openPage(guarded.url);
    expect(await checkAccessibility(page)).toEqual([]);
    await page.getByLabel('Token of this dashboard').fill('not the token at all');
    await page.keyboard.press('Enter');
    await page.getByText('That is not the token.').waitFor();
    await page.getByLabel('Token of this dashboard').fill(TOKEN);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.locator('#state[data-state=Live]').waitFor();
    expect(await page.getByRole('button', { name: 'Retry all' }).count()).toBe(0);
    expect(await page.evaluate<string>('document.cookie')).toBe('');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Token of this dashboard').waitFor();
  });

  it('says that the dashboard is away, and goes on when it is back', async () => {
    const other = await startDashboardProcess(redis.url, SECRET);
    const page = await openPage(other.url);
    await page.locator('#state[data-state=Live]').waitFor();
    await other.stop();
    await page.locator('#state[data-state=Connecting]').waitFor();
    const again = await startDashboardProcess(redis.url, SECRET, ['--port', new URL(other.url).port]);
    closing.push(() => again.stop());
    await page.locator('#state[data-state=Live]').waitFor();
  });

  // The last: an instance is gone behind it.
  it('shows who took over when an instance is killed', async () => {
    const page = await openHealth();
    const [survivor, killed] = services as [ServiceProcess, ServiceProcess];
    await page.locator('.partitions tr', { hasText: killed.instance }).waitFor();
    const killedAt = performance.now();
    await killed.kill('SIGKILL');
    const event = page.locator('#takeovers li', { hasText: `of ${killed.instance}` });
    await event.getByText(survivor.instance).waitFor();
    const shownAfterMs = Math.round(performance.now() - killedAt);
    console.log(`A takeover stood on the page ${shownAfterMs} ms after the kill.`);
    await page
      .locator('.instances tr', { hasText: killed.instance })
      .getByText(/^silent for/)
      .waitFor();
    await page.locator('.partitions tr', { hasText: survivor.instance }).getByText('0–63').waitFor();
    expect(complaints).toEqual([]);
  });
});
