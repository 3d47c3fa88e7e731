import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AS_A_PERSON, type Demo, openDemo, Panel } from '../support/demo-stage.ts';
import { BROWSER_ARGS, findBrowser } from '../support/find-browser.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* The guided path of the demo, from its beginning to its end, as `sessionwise demo` has it: with the service as a process
 * that the panel stops and starts. */

const executablePath = findBrowser();
// Below the test's own limit, so that it can say where it waited.
const STEP_DEADLINE_MS = 20_000;
const MOST_TABS = 80;

describe.skipIf(executablePath === undefined)('the guided path of the demo', () => {
  const redis = useRedis();
  let demo: Demo;
  let browser: Browser;
  let page: Page;
  let panel: Panel;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath!, args: [...BROWSER_ARGS] });
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    await page?.context().close();
    await demo?.stop();
  });
  const arrive = async (options: Parameters<Browser['newContext']>[0] = {}): Promise<void> => {
    demo = await openDemo(redis.url);
    page = await (await browser.newContext({ ...AS_A_PERSON, ...options })).newPage();
    page.setDefaultTimeout(STEP_DEADLINE_MS);
    panel = new Panel(page);
    await page.goto(demo.demoUrl);
    await panel.shows('/');
  };
  const focused = (): Promise<string> => page.evaluate("document.activeElement?.textContent?.trim() ?? ''");
  /** Goes to a control of the panel by Tab alone, and presses Enter. */
  const enter = async (label: string): Promise<void> => {
    for (let tabs = 0; (await focused()) !== label; tabs++) {
      if (tabs > MOST_TABS) throw new Error(`No Tab leads to "${label}".`);
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
  };
  const isDone = (step: string): Promise<void> =>
    page.locator(`[data-step="${step}"][data-done="true"]`).waitFor({ state: 'attached' });
  const serviceIs = (state: string): Promise<void> =>
    page.locator(`[data-service="${state}"]`).waitFor({ state: 'attached' });
  /** Opens the shop by the panel's own link until a page shows what is waited for: what was lost is asked again. */
  const openUntil = async (what: string, holds: () => Promise<boolean>): Promise<void> =>
    waitUntil(
      what,
      async () => {
        await (await panel.frame()).goto(demo.url);
        await panel.shows('/');
        return holds();
      },
      STEP_DEADLINE_MS,
    );
  const isDegraded = async (): Promise<boolean> =>
    (await page.locator('[data-about]').getAttribute('data-degraded')) === 'true';

  it('is walked to its end with the keyboard alone, and each step is found from real answers', async () => {
    await arrive();
    expect(await page.locator('[data-progress]').innerText()).toBe('0 of 5 done');
    await enter('Open the television');
    await panel.shows('/added/tv');
    await enter('Back to the shop');
    await isDone('look');
    expect(await panel.call('sessionwise.unseen')).toContain('You have seen the television: show the other 5 of 6.');
    // The focus goes on with the path.
    await waitUntil('the next step has the focus', async () => (await focused()) === 'Open the wall mount');

    await enter('Open the wall mount');
    await panel.shows('/added/tv-mount');
    await enter('To the checkout');
    await isDone('tip');
    await page.locator('[data-rule="hdmi-cable"][data-mood="fired"]').waitFor();
    expect(await panel.call('sessionwise.suggestions')).toContain(
      'HDMI cable: because you looked at the television and the TV wall mount and your cart has no HDMI cable.',
    );

    await enter('Add the cable');
    await panel.shows('/added/hdmi-cable');
    await enter('To the checkout again');
    await isDone('cart');
    await enter('Show the second visitor');
    await isDone('second');
    expect(await page.locator('[data-frame]:visible').count()).toBe(2);

    await enter('Switch the service off');
    await serviceIs('off');
    await enter('Open the shop');
    await page.locator('[data-about][data-path="/"][data-degraded="true"]').waitFor({ state: 'attached' });
    await enter('Switch the service on');
    await serviceIs('on');
    await openUntil(
      'the path is at its end',
      async () => (await page.locator('[data-step][data-done="false"]').count()) === 0,
    );
    expect(await page.locator('[data-progress]').innerText()).toBe('5 of 5 done');
    expect(await page.locator('[data-announce]').innerText()).toContain('That was the last step.');
  });

  it('without the service pages come and the panel says so; back again, the same shop has answers', async () => {
    await arrive();
    await panel.open('/added/tv');
    const answer = await panel.press('service', /The service is off/);
    expect(answer).toContain('it comes, without answers');
    const frame = await panel.frame();
    const response = await frame.goto(`${demo.url}/`);
    expect(response?.status()).toBe(200);
    expect(await frame.locator('#session-stats').getAttribute('data-state')).toBe('degraded');
    await panel.shows('/');
    expect(await isDegraded()).toBe(true);
    expect(await page.locator('[data-about]').innerText()).toMatch(/Nobody answered.*after 5000 ms it gives up/);
    for (const name of ['sessionwise.visit', 'sessionwise.unseen', 'sessionwise.notices.counts']) {
      expect(await page.locator(`[data-call="${name}"]`).getAttribute('data-missing')).toBe('true');
    }
    expect(await panel.press('notice', /Nobody took it/)).toContain('the service is off');

    await panel.press('service', /The service is on again/);
    await openUntil('a page has answers again', async () => !(await isDegraded()));
    // What it knew is there still: the television was seen.
    expect(await panel.call('sessionwise.unseen')).toContain('You have seen the television');
    expect(await page.locator('[data-about]').innerText()).not.toContain('Nobody answered');
  });

  it('a service that is killed from outside is shown as off, and the panel brings it back', async () => {
    await arrive();
    process.kill(Number(/The service is process (\d+)/.exec(demo.output())![1]), 'SIGKILL');
    await serviceIs('off');
    await panel.press('service', /The service is on again/);
    await serviceIs('on');
  });

  it('on a phone the panel is a bar below the shop, which opens and leaves the shop in sight', async () => {
    await arrive({ viewport: { width: 390, height: 844 } });
    const bar = page.locator('[data-bar]');
    const shop = page.locator('[data-frame="first"]');
    expect(await page.locator('[data-sheet]').isVisible()).toBe(false);
    const closed = (await shop.boundingBox())!.height;
    await bar.click();
    expect(await bar.getAttribute('aria-expanded')).toBe('true');
    const opened = (await shop.boundingBox())!.height;
    expect(opened).toBeGreaterThan(200);
    expect(opened).toBeLessThan(closed);
    await page.getByRole('link', { name: 'Open the television' }).click();
    await panel.shows('/added/tv');
    await page.keyboard.press('Escape');
    expect(await page.locator('[data-sheet]').isVisible()).toBe(false);
    expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBeLessThanOrEqual(0);
  });
});
