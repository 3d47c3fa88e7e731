import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { personOf } from '../../src/index.ts';
import { findBrowser } from '../support/find-browser.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { type ScriptSite, ScriptStage, visitorOf } from './script-site.ts';

const executablePath = findBrowser();

interface Shown {
  readonly unseen: string[];
  readonly visit: { readonly totalPages: number; readonly newToSite: boolean };
  readonly notices: { readonly id: string; readonly seen: boolean }[];
}

describe.skipIf(executablePath === undefined)('a person with two browsers', () => {
  const redis = useRedis({ eachTest: 'kept' });
  const stage = new ScriptStage(redis, executablePath!);
  /** Opens a page and returns what it shows. */
  const see = async (site: ScriptSite, page: Page, path: string): Promise<Shown> => {
    await page.goto(site.url + path);
    return JSON.parse((await page.locator('p').textContent())!) as Shown;
  };
  const totalIs = (id: string, total: number): Promise<void> =>
    waitUntil(`${total} views`, async () => (await stage.totalOf(id)) === total);

  it('reads on one device, and it is read on the other', async () => {
    const site = await stage.open();
    const ada = personOf('ada-reads');
    const [desk, phone] = [await stage.arrive(), await stage.arrive()];
    await desk.goto(`${site.url}/login/ada-reads`);
    await see(site, desk, '/p/a');
    await desk.evaluate(`history.pushState(0, '', '/spa/x')`);
    await waitUntil('the view within the page', () => site.proxy.views.length === 1);
    await desk.goto(`${site.url}/read/n1`);
    // The login, the page, the view within it, and the notice.
    await totalIs(ada, 4);
    await phone.goto(`${site.url}/login/ada-reads`);
    const shown = await see(site, phone, '/p/never');
    expect(shown.unseen).toEqual(['/p/b']);
    expect(shown.notices).toEqual([
      { id: 'n1', seen: true },
      { id: 'n2', seen: false },
    ]);
    expect(shown.visit.totalPages).toBe(6);
    // A browser of somebody who is logged in has no cookie of a visitor.
    expect([await visitorOf(desk.context()), await visitorOf(phone.context())]).toEqual([undefined, undefined]);
  });

  it('has what their browser saw before the login, exactly once', async () => {
    const site = await stage.open();
    const ada = personOf('ada-came');
    const page = await stage.arrive();
    await see(site, page, '/p/a');
    await page.evaluate(`history.pushState(0, '', '/spa/x')`);
    await waitUntil('the view within the page', () => site.proxy.views.length === 1);
    await page.goto(`${site.url}/cdn/a`);
    await waitUntil('the view of the CDN', () => site.proxy.views.length === 2);
    const visitor = (await visitorOf(page.context()))!;
    await totalIs(visitor, 3);
    await page.goto(`${site.url}/login/ada-came`);
    const shown = await see(site, page, '/p/b');
    // Three anonymous ones, the login, and this page.
    expect(shown.visit).toMatchObject({ totalPages: 5, newToSite: false });
    expect(shown.unseen).toEqual(['/p/never']);
    await page.reload();
    await totalIs(ada, 6);
    expect(await visitorOf(page.context())).toBeUndefined();
  });

  it('leaves a visitor of whom nothing is known behind a logout', async () => {
    const site = await stage.open();
    const ada = personOf('ada-left');
    const page = await stage.arrive();
    await page.goto(`${site.url}/login/ada-left`);
    await see(site, page, '/p/a');
    await page.goto(`${site.url}/read/n1`);
    await totalIs(ada, 3);
    await page.goto(`${site.url}/logout`);
    const shown = await see(site, page, '/p/b');
    expect(shown.visit).toMatchObject({ totalPages: 1, newToSite: true });
    expect(shown.unseen).toEqual(['/p/a', '/spa/x', '/p/never']);
    expect(shown.notices.map(({ seen }) => seen)).toEqual([false, false]);
    await page.evaluate(`history.pushState(0, '', '/spa/x')`);
    await stage.expectTotal(site, page, 2);
    expect(await stage.totalOf(ada)).toBe(3);
  });
});
