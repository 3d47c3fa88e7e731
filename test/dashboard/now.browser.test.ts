import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { personOf } from '../../src/protocol/index.ts';
import { startDashboardProcess } from '../support/dashboard-process.ts';
import { BROWSER_ARGS, findBrowser } from '../support/find-browser.ts';
import { ended, MAIN } from '../support/run-cli.ts';
import { startServiceProcess } from '../support/service-process.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* The view "Now" in a browser: what it shows is what happens, while it happens. */

const SECRET = 'a secret of the tests, long enough';
const DEADLINE_MS = 30_000;
const VISITORS = 60;
const PARTS = 4;
const CONFIG = { clusters: { '<b>shelf</b>': ['/shelf/*'], 'lamp shelf': ['/shelf/lamps'] } };
const executablePath = findBrowser();

describe.skipIf(executablePath === undefined)('the dashboard shows now', () => {
  const redis = useRedis();
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath!, args: [...BROWSER_ARGS] });
    folder = mkdtempSync(join(tmpdir(), 'sw-now-'));
    writeFileSync(join(folder, 'config.json'), JSON.stringify(CONFIG));
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  /** A service, and a browser that shows the page. */
  async function open(): Promise<Page> {
    const more = ['--config', join(folder, 'config.json'), '--accept-times'];
    const service = await startServiceProcess(redis.url, SECRET, ...more);
    onTestFinished(async () => void (await service.stop()));
    const dashboard = await startDashboardProcess(redis.url, SECRET);
    onTestFinished(async () => void (await dashboard.stop()));
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    onTestFinished(() => page.close());
    const faults: string[] = [];
    page.on('pageerror', (error) => void faults.push(error.message));
    page.on('console', (message) => void (message.type() === 'error' && faults.push(message.text())));
    onTestFinished(() => expect(faults).toEqual([]));
    await page.goto(dashboard.url);
    await page.locator('#state[data-state="Live"]').waitFor({ timeout: DEADLINE_MS });
    return page;
  }

  const number = async (page: Page, id: string): Promise<number> =>
    Number((await page.locator(`#${id}`).textContent())!.replaceAll(',', ''));
  /** The table of pages, as it is read. */
  const pagesOf = (page: Page): Promise<string[][]> =>
    page
      .locator('table.bars tbody tr')
      .evaluateAll((rows) =>
        (rows as { querySelectorAll(selector: string): Iterable<{ textContent: string }> }[]).map((row) =>
          [...row.querySelectorAll('th, td:not(.share)')].map(({ textContent }) => textContent),
        ),
      );

  it('and the numbers move while a log is replayed', { timeout: 180_000 }, async () => {
    const page = await open();
    expect(await number(page, 'views-30')).toBe(0);
    expect(await page.locator('table.bars').count()).toBe(0);
    const replay = spawn(process.execPath, [MAIN, 'replay', '-', '--redis', redis.url], {
      env: { ...process.env, SESSIONWISE_SECRET: SECRET },
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    onTestFinished(() => void replay.kill());
    const sent: string[] = [];
    const shown: number[] = [];
    for (let part = 0; part < PARTS; part += 1) {
      for (let i = 0; i < VISITORS; i += 1) {
        const shelf = part === 0 && i < 7 ? 'lamps' : `s${i}`;
        sent.push(`/shelf/${shelf}`);
        replay.stdin.write(lineOf(i, part, `/shelf/${shelf}`));
      }
      // The trial views of the replay are of no shelf.
      await waitUntil(
        `part ${part} is shown`,
        async () => (await pagesOf(page))[0]?.[2] === String(sent.length),
        DEADLINE_MS,
      );
      expect(replay.exitCode).toBeNull();
      shown.push(await number(page, 'views-30'));
    }
    replay.stdin.end();
    expect(await ended(replay)).toBe(0);
    expect(shown).toEqual([...shown].sort((a, b) => a - b));
    expect(new Set(shown).size).toBe(PARTS);
    expect(await pagesOf(page)).toEqual([
      ['<b>shelf</b>', 'cluster', String(PARTS * VISITORS)],
      ['lamp shelf', 'cluster', '7'],
    ]);
    // Of the log and of the trial.
    const fresh = await number(page, 'new-30');
    expect(fresh).toBeGreaterThanOrEqual(VISITORS);
    // The number of visitors is an estimate.
    expect(Math.abs((await number(page, 'visitors-30')) - fresh)).toBeLessThanOrEqual(0.05 * fresh);
    // The same numbers as a table.
    await page.getByText('As a table').click();
    const minutes = await page.locator('.numbers tbody td').allTextContents();
    expect(minutes).toHaveLength(60);
    expect(minutes.reduce((sum, views) => sum + Number(views.replaceAll(',', '')), 0)).toBe(
      await number(page, 'views-30'),
    );
    expect(await page.locator('.plot canvas').count()).toBe(1);
  });

  it('and tells people, who came, and robots', { timeout: 120_000 }, async () => {
    const page = await open();
    const client = new SessionClient({ redis: redis.url, deadlineMs: DEADLINE_MS });
    onTestFinished(() => client.close());
    expect(await client.ready(DEADLINE_MS)).toBe(true);
    const at = Date.now();
    for (const user of ['ada', 'bob', 'eve']) await client.request('pageview', personOf(user), '/shelf/a');
    await client.request('pageview', 'visitor', { path: '/a', at: at - 20 * 60_000 });
    await client.request('pageview', 'visitor', { path: '/a', at });
    for (let i = 0; i < 1_234; i += 1) client.countRobot();
    await waitUntil('all is shown', async () => (await number(page, 'robots')) === 1_234, DEADLINE_MS);
    const shown = await Promise.all(
      ['visitors', 'people', 'new', 'back', 'views-30'].map(async (id) => [id, await number(page, id)]),
    );
    expect(Object.fromEntries(shown)).toEqual({ visitors: 4, people: 3, new: 4, back: 1, 'views-30': 5 });
    expect(await page.locator('#robots').textContent()).toBe('1,234');
  });

  it.each([390, 1280, 2560])('without a bar to scroll sideways, at %i pixels', { timeout: 60_000 }, async (width) => {
    const page = await open();
    await page.setViewportSize({ width, height: 900 });
    const tooWide = await page.locator('html').evaluate((html) => {
      const { scrollWidth, clientWidth } = html as unknown as { scrollWidth: number; clientWidth: number };
      return scrollWidth - clientWidth;
    });
    expect(tooWide).toBeLessThanOrEqual(0);
  });
});

function lineOf(visitor: number, minute: number, path: string): string {
  return `10.0.0.${visitor} - - [17/May/2015:10:0${minute}:03 +0000] "GET ${path} HTTP/1.1" 200 1\n`;
}
