import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sessionOf } from '../../src/index.ts';
import { findBrowser } from '../support/find-browser.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { ScriptStage } from './script-site.ts';

const executablePath = findBrowser();
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

describe.skipIf(executablePath === undefined)('active minutes of a page in a browser', () => {
  const redis = useRedis({ eachTest: 'kept' });
  const stage = new ScriptStage(redis, executablePath!);

  it('are those in which it is visible', async () => {
    const { url, proxy } = await stage.open();
    // Tabs of a context of our own: those of the driver are always visible.
    const cdp = await stage.browser.newBrowserCDPSession();
    const { browserContextId } = await cdp.send('Target.createBrowserContext');
    const open = async (path: string): Promise<string> => {
      const { targetId } = await cdp.send('Target.createTarget', { url: url + path, browserContextId });
      return targetId;
    };
    /** Waits until a page has said `more` times more that it is looked at. */
    const minutes = async (path: string, more: number): Promise<void> => {
      const before = proxy.activeOf(path);
      await waitUntil(`${more} minutes of ${path}`, () => proxy.activeOf(path) >= before + more);
    };

    const first = await open('/clock/a');
    await minutes('/clock/a', 3);
    const second = await open('/clock/b');
    await minutes('/clock/b', 1);
    const whenHidden = proxy.activeOf('/clock/a');
    await minutes('/clock/b', 4);
    expect(proxy.activeOf('/clock/a')).toBe(whenHidden);
    await cdp.send('Target.activateTarget', { targetId: first });
    await minutes('/clock/a', 2);
    const ofSecond = proxy.activeOf('/clock/b');
    await minutes('/clock/a', 3);
    expect(proxy.activeOf('/clock/b')).toBe(ofSecond);
    for (const targetId of [second, first]) await cdp.send('Target.closeTarget', { targetId });
    await cdp.send('Target.disposeBrowserContext', { browserContextId });
    expect(proxy.views).toEqual([]);
  });

  it('are known of the visitor, and are no views', async () => {
    // Counted by nobody: so its minute is the message's alone.
    const site = await stage.open({ pageview: ({ path }) => (path === '/clock/quiet' ? 'off' : 'server') });
    const value = randomBytes(24).toString('base64url');
    const id = sessionOf(value);
    const before = { path: '/p/a', at: Date.now() - 5 * MINUTE_MS };
    await stage.client.request('pageview', id, before);
    expect(await stage.client.session(id).figures()).toMatchObject({ totalPages: 1, activeMinutes: 1 });
    const page = await stage.arrive();
    const cookie = `${value}.${Math.floor(Date.now() / DAY_MS)}`;
    await page.context().addCookies([{ name: 'sessionwise', value: cookie, url: site.url }]);
    await page.goto(`${site.url}/clock/quiet`);
    await waitUntil('an active minute', async () => (await stage.client.session(id).figures())?.activeMinutes !== 1);
    const figures = await stage.client.session(id).figures();
    expect(figures).toMatchObject({ totalPages: 1, uniquePages: 1 });
    // A minute of the service's may have ended meanwhile.
    expect([2, 3]).toContain(figures!.activeMinutes);
  });
});
