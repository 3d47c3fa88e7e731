import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AS_A_PERSON, startPanelledShop } from '../support/demo-stage.ts';
import { BROWSER_ARGS, findBrowser } from '../support/find-browser.ts';
import { complaintsOf, kill, SHOP_SECRET, type Shop } from '../support/shop-stage.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* The shop's rules in a browser, as `serve` has them from a file: why there is a tip and why not, one that is not wanted, and
 * a draft of `discover` that a person approves while the service runs. */

const executablePath = findBrowser();
const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const SHOP_RULES = new URL('../../examples/shop/sessionwise.json', import.meta.url);
const STEP_DEADLINE_MS = 30_000;
/** Baskets in which a console and a smart plug go together. */
const BASKETS = `${'/added/game-console,/added/smart-plug\n'.repeat(30)}${'/added/lamp\n'.repeat(60)}`;

describe.skipIf(executablePath === undefined)('the shop’s rules in a browser', () => {
  const redis = useRedis({ eachTest: 'kept' });
  const folder = mkdtempSync(join(tmpdir(), 'sessionwise-rules-'));
  const inFolder = (name: string): string => join(folder, name);
  let service: ChildProcess;
  let shop: Shop & { readonly demoUrl: string };
  let browser: Browser;
  let page: Page;
  /** The panel of the demo, in another tab. */
  let panel: Page;
  let complaints: string[];

  const cli = async (...args: string[]): Promise<void> => {
    const [code] = await once(start(args), 'exit');
    expect(code, args.join(' ')).toBe(0);
  };

  beforeAll(async () => {
    writeFileSync(inFolder('rules.json'), readFileSync(SHOP_RULES));
    writeFileSync(inFolder('sessionwise.json'), '{"rules":"rules.json"}');
    service = start(['serve', '--redis', redis.url, '--config', inFolder('sessionwise.json'), '--log-level', 'error']);
    await once(service, 'message');
    shop = await startPanelledShop({ redis: redis.url, deadlineMs: 5_000 });
    browser = await chromium.launch({ executablePath: executablePath!, args: [...BROWSER_ARGS] });
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.close();
    if (service) await kill(service);
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    await page.context().close();
    expect(complaints).toEqual([]);
  });

  const arrive = async (): Promise<void> => {
    const context = await browser.newContext(AS_A_PERSON);
    panel = await context.newPage();
    panel.setDefaultTimeout(STEP_DEADLINE_MS);
    await panel.goto(shop.demoUrl);
    page = await context.newPage();
    page.setDefaultTimeout(STEP_DEADLINE_MS);
    complaints = complaintsOf(page, shop);
  };
  const look = async (...slugs: string[]): Promise<void> => {
    for (const slug of slugs) await page.goto(`${shop.url}/added/${slug}`);
  };
  /** What the panel says of a rule when the checkout was opened. */
  const why = async (rule: string): Promise<string> => {
    await page.goto(`${shop.url}/confirm-purchase`);
    await panel
      .locator('[data-about][data-path="/confirm-purchase"][data-counted="true"]')
      .waitFor({ state: 'attached' });
    return (await panel.locator(`[data-rule="${rule}"]`).innerText()).replace(/\s+/g, ' ');
  };
  const tips = (): Promise<(string | null)[]> =>
    page.locator('[data-suggestion]').evaluateAll((cards) => cards.map((card) => card.getAttribute('data-suggestion')));

  it('say why there is no tip yet, by how much, and why there is one: by a cluster, an event and what was not seen', async () => {
    await arrive();
    await look('tv', 'soundbar');
    expect(await why('headphones')).toBe(
      'Headphones: not yet, you looked at 2 of 3 pages among screens and sound and you have put nothing into the cart.',
    );
    expect(await tips()).toEqual([]);
    await look('tv-mount');
    await page.getByRole('button', { name: 'Add to cart: TV wall mount' }).click();
    expect(await why('headphones')).toMatch(
      /^Headphones: because you have not looked at the headphones yet, you looked at \d pages among screens and sound, you put something into the cart/,
    );
    expect(await tips()).toEqual(['headphones', 'hdmi-cable']);
    const card = page.locator('[data-suggestion="headphones"]');
    expect(await card.locator('[data-because]').innerText()).toContain('looked around among screens and sound');
    // What it must not be: seen.
    await look('headphones');
    expect(await why('headphones')).toBe('Headphones: no, you looked at the headphones.');
    expect(await tips()).toEqual(['hdmi-cable']);
  });

  it('keep away what is not wanted, also behind a reload, and say so', async () => {
    await arrive();
    await look('tv', 'tv-mount');
    await page.goto(`${shop.url}/confirm-purchase`);
    expect(await tips()).toEqual(['hdmi-cable']);
    await page.getByRole('button', { name: 'No, thank you: An HDMI cable' }).click();
    await page.locator('[data-suggestions="none"]').waitFor();
    await page.reload();
    expect(await tips()).toEqual([]);
    expect(await why('hdmi-cable')).toBe('HDMI cable: not again, it was dismissed.');
  });

  it('give a tip that was found in data from when a person approves it, while the service runs', async () => {
    writeFileSync(inFolder('baskets.csv'), BASKETS);
    await cli('discover', inFolder('baskets.csv'), '--top', '1', '--out', inFolder('drafts.json'));
    const { drafts } = JSON.parse(readFileSync(inFolder('drafts.json'), 'utf8'));
    const [{ name, when, suggest }] = drafts;
    // Whichever of the two it proposes to whom.
    const cause = when.all[0].seen;
    expect([cause, suggest].sort()).toEqual(['/added/game-console', '/added/smart-plug']);
    await arrive();
    await page.goto(shop.url + cause);
    await page.goto(`${shop.url}/confirm-purchase`);
    expect(await tips()).toEqual([]);
    const files = ['--drafts', inFolder('drafts.json'), '--config', inFolder('sessionwise.json')];
    await cli('rules', 'approve', name, '--reason', 'They are often bought together.', ...files);
    await waitUntil('the approved rule is used', async () => {
      await page.goto(`${shop.url}/confirm-purchase`);
      return (await tips()).includes(name);
    });
    const card = page.locator(`[data-suggestion="${name}"]`);
    expect(await card.locator('[data-reason]').innerText()).toBe('They are often bought together.');
    expect(await card.locator('[data-because] a').getAttribute('href')).toBe(cause);
  });
});

function start(args: string[]): ChildProcess {
  return spawn(process.execPath, [CLI, ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, SESSIONWISE_SECRET: SHOP_SECRET },
  });
}
