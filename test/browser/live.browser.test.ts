import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Service, startService } from '../../src/service/index.ts';
import { findBrowser } from '../support/find-browser.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { badge, LiveStage, PLAIN_HOST, SECRET, shows, toldOf, until } from './live-site.ts';

const executablePath = findBrowser();

describe.skipIf(executablePath === undefined)('pages that listen', () => {
  const redis = useRedis({ eachTest: 'kept' });
  const stage = new LiveStage(executablePath!);
  let service: Service;
  beforeAll(async () => {
    service = await startService({ redis: redis.url, secret: SECRET });
  });
  afterAll(() => service.stop());

  it('are told of a notice, and count it', async () => {
    const site = await stage.site({ redis: redis.url });
    const page = await stage.tab(await stage.device(), `${site.url}/p/a`);
    expect([await badge(page), site.open]).toEqual(['0/0', 1]);
    await site.sw.notices.publish({ to: { group: site.group }, id: 'first', text: 'One' });
    await shows(page, '1/1');
    expect(await until(page, 'notice')).toEqual(['first']);
    await site.sw.notices.withdraw('first');
    await shows(page, '0/0');
    expect(await until(page, 'withdrawn')).toEqual(['first']);
  });

  it('of one person on all tabs and devices show that it was read on one of them', async () => {
    const site = await stage.site({ redis: redis.url });
    const [desk, phone, other] = [await stage.device(), await stage.device(), await stage.device()];
    const tabs = [
      await stage.tab(desk, `${site.url}/login/ada`),
      await stage.tab(desk, `${site.url}/p/a`),
      await stage.tab(phone, `${site.url}/login/ada`),
      await stage.tab(phone, `${site.url}/p/b`),
    ];
    const stranger = await stage.tab(other, `${site.url}/login/eve`);
    await site.sw.notices.publish({ to: { group: site.group }, id: 'all', text: 'For all' });
    await site.sw.notices.publish({ to: { person: 'ada' }, id: 'hers', text: 'For Ada' });
    await Promise.all(tabs.map((tab) => shows(tab, '2/2')));
    expect(site.open).toBe(3);
    const reader = await desk.newPage();
    await reader.goto(`${site.url}/read/all`);
    await Promise.all([...tabs, reader].map((tab) => shows(tab, '1/1')));
    expect(await badge(stranger)).toBe('1/1');
    for (const tab of tabs) expect(await until(tab, 'notice', 2)).toEqual(['all', 'hers']);
  });

  it('share one stream in eight tabs, and when its tab is closed another goes on: nothing is missed or told twice', async () => {
    const site = await stage.site({ redis: redis.url });
    const device = await stage.device();
    const tabs = [await stage.tab(device, `${site.url}/p/0`)];
    for (let i = 1; i < 8; i += 1) tabs.push(await stage.tab(device, `${site.url}/p/${i}`));
    expect(site.open).toBe(1);
    const ids: string[] = [];
    for (const gone of [0, 1, 2, 3]) {
      for (const when of ['before', 'after']) {
        const id = `${when}-${gone}`;
        ids.push(id);
        await site.sw.notices.publish({ to: { group: site.group }, id, text: id });
        if (when === 'before') await tabs[gone]!.close();
      }
    }
    for (const tab of tabs.slice(4)) {
      expect(await until(tab, 'notice', ids.length)).toEqual(ids);
      await shows(tab, '8/8');
    }
    expect(site.open).toBe(1);
  });

  it('without locks, over plain http, hold a stream only while they are visible', async () => {
    const site = await stage.site({ redis: redis.url });
    const page = await stage.tab(await stage.device(), `http://${PLAIN_HOST}:${site.port}/p/a`);
    expect(await page.evaluate('navigator.locks')).toBeUndefined();
    await site.sw.notices.publish({ to: { group: site.group }, id: 'plain', text: 'One' });
    await shows(page, '1/1');
  });

  it('of a person who logs out are told so, once, and nothing more of what is for the person', async () => {
    const site = await stage.site({ redis: redis.url });
    const device = await stage.device();
    const tabs = [await stage.tab(device, `${site.url}/login/kay`), await stage.tab(device, `${site.url}/p/a`)];
    await site.sw.notices.publish({ to: { person: 'kay' }, id: 'of-kay', text: 'For Kay' });
    await site.sw.notices.publish({ to: { group: site.group }, id: 'of-all', text: 'For all' });
    for (const tab of tabs) await shows(tab, '2/2');
    const last = await device.newPage();
    await last.goto(`${site.url}/logout`);
    for (const tab of tabs) {
      expect(await until(tab, 'logged-out')).toHaveLength(1);
    }
    await site.sw.notices.publish({ to: { person: 'kay' }, id: 'secret', text: 'For Kay alone' });
    // The browser is a visitor again, with the next page.
    await last.goto(`${site.url}/p/b`);
    await shows(last, '1/1');
    await site.sw.notices.publish({ to: { group: site.group }, id: 'again', text: 'For all' });
    await shows(last, '2/2');
    expect(site.open).toBe(1);
    for (const tab of tabs) {
      expect(await toldOf(tab, 'notice')).not.toContain('secret');
      expect(await toldOf(tab, 'logged-out')).toHaveLength(1);
    }
  });

  it('of a visitor who logs in in another tab go on as the person', async () => {
    const site = await stage.site({ redis: redis.url });
    expect(await site.sw.client.ready()).toBe(true);
    await site.sw.notices.publish({ to: { person: 'joe' }, id: 'of-joe', text: 'For Joe' });
    const device = await stage.device();
    const before = await stage.tab(device, `${site.url}/p/a`);
    expect(await badge(before)).toBe('0/0');
    const login = await device.newPage();
    await login.goto(`${site.url}/login/joe`);
    await Promise.all([before, login].map((tab) => shows(tab, '1/1')));
    expect(site.open).toBe(1);
  });

  it('are told what is suggested from now on, also when it was seen in another tab', async () => {
    const when = { all: [{ seen: '/p/charger' }, { seen: '/p/phone' }] };
    const suggestions = [{ name: 'cable', when, suggest: 'A cable', reason: 'Because.' }];
    const site = await stage.site({ redis: redis.url, service: { suggestions } });
    await site.sw.client.ready();
    const device = await stage.device();
    const first = await stage.tab(device, `${site.url}/p/charger`);
    const second = await stage.tab(device, `${site.url}/p/phone`);
    for (const tab of [first, second]) expect(await until(tab, 'suggestion')).toEqual(['cable']);
    await second.reload();
    await shows(second, '0/0');
    await site.sw.notices.publish({ to: { group: site.group }, id: 'last', text: 'Last' });
    await until(first, 'notice');
    expect(await toldOf(first, 'suggestion')).toEqual(['cable']);
  });

  it('ask for nothing with Global Privacy Control, and once for a visitor without consent', async () => {
    const site = await stage.site({ redis: redis.url, knowledge: { consent: () => 'none' } });
    const page = await (await stage.device()).newPage();
    await page.goto(`${site.url}/p/a`);
    await waitUntil('the site was asked', () => site.asked.length > 0);
    const quiet = await stage.device();
    await quiet.addInitScript('Object.defineProperty(navigator, "globalPrivacyControl", { value: true })');
    const other = await quiet.newPage();
    await other.goto(`${site.url}/p/a`);
    await other.waitForFunction('told');
    expect(site.asked).toEqual([['HEAD', 204]]);
  });

  it('keep listening when they come back from the back/forward cache', async () => {
    const site = await stage.site({ redis: redis.url });
    const page = await stage.tab(await stage.device(), `${site.url}/p/a`);
    await page.evaluate('window.isKept = true');
    await page.goto(`${site.url}/without`);
    await waitUntil('its stream is closed', () => site.open === 0);
    await site.sw.notices.publish({ to: { group: site.group }, id: 'away', text: 'Meanwhile' });
    await page.goBack({ waitUntil: 'commit' });
    expect(await page.evaluate('window.isKept')).toBe(true);
    await shows(page, '1/1');
    expect(await until(page, 'notice')).toEqual(['away']);
  });

  it('refuse an event that there is not, and what is no function', async () => {
    const site = await stage.site({ redis: redis.url });
    const page = await stage.tab(await stage.device(), `${site.url}/p/a`);
    const thrown = (code: string): Promise<unknown> =>
      page.evaluate(`(() => { try { ${code} } catch (error) { return String(error) } })()`);
    expect(await thrown(`sessionwise.on('unred', () => 0)`)).toMatch(/RangeError: sessionwise.on: no event "unred"/);
    expect(await thrown(`sessionwise.on('unread')`)).toMatch(/TypeError: .*give a function/);
    // Who comes later is told the count at once, and who leaves is told nothing.
    expect(await page.evaluate(`new Promise((told) => { sessionwise.on('unread', told) })`)).toBe(0);
    await page.evaluate(`window.count = 0; sessionwise.on('notice', () => { count += 1 })()`);
    await site.sw.notices.publish({ to: { group: site.group }, id: 'one', text: 'One' });
    await until(page, 'notice');
    expect(await page.evaluate('count')).toBe(0);
  });
});
