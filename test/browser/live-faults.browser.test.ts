import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBrowser } from '../support/find-browser.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { badge, type LiveSite, LiveStage, SECRET, shows, toldOf, until } from './live-site.ts';

const executablePath = findBrowser();
const CUT_MS = 10_000;
const BACK_MS = 30_000;
const TEST_MS = 90_000;

describe.skipIf(executablePath === undefined)('pages that listen, when something fails', () => {
  const redis = useRedis();
  const stage = new LiveStage(executablePath!);
  let service: ServiceProcess;
  beforeEach(async () => {
    service = await startServiceProcess(redis.url, SECRET);
  });
  afterEach(() => service.stop());
  const publish = async (site: LiveSite, ...ids: string[]): Promise<void> => {
    for (const id of ids) await site.sw.notices.publish({ to: { group: site.group }, id, text: id });
  };

  it(
    'miss nothing of ten seconds without a network, and are told nothing twice',
    async () => {
      const site = await stage.site({ redis: redis.url });
      const device = await stage.device();
      const tabs = [await stage.tab(device, `${site.url}/p/a`), await stage.tab(device, `${site.url}/p/b`)];
      await publish(site, 'before', 'gone');
      for (const tab of tabs) await until(tab, 'notice', 2);
      site.cut();
      const at = Date.now() + CUT_MS;
      await publish(site, 'during');
      await site.sw.notices.publish({ to: { group: site.group }, id: 'begun', text: 'At its time', publishAt: at });
      await site.sw.notices.edit('before', { text: 'Another' });
      await site.sw.notices.withdraw('gone');
      const isShown = async (): Promise<boolean> =>
        (await site.sw.client.session('somebody').notices.unread({ groups: [site.group] })) === 3;
      await waitUntil('ten seconds are over', isShown, 2 * CUT_MS);
      site.mend();
      for (const tab of tabs) await shows(tab, '3/3', BACK_MS);
      await publish(site, 'after');
      for (const tab of tabs) {
        await shows(tab, '4/4');
        await waitUntil('all are told', async () => (await toldOf(tab, 'notice')).length >= 5);
        expect((await toldOf(tab, 'notice')).toSorted()).toEqual(['after', 'before', 'begun', 'during', 'gone']);
        expect(await toldOf(tab, 'edited')).toEqual(['before']);
        expect(await toldOf(tab, 'withdrawn')).toEqual(['gone']);
        expect(await toldOf(tab, 'stale')).toEqual([]);
      }
      expect(site.open).toBe(1);
    },
    TEST_MS,
  );

  it('are live again by themselves when the service was killed', async () => {
    const site = await stage.site({ redis: redis.url });
    const page = await stage.tab(await stage.device(), `${site.url}/p/a`);
    await publish(site, 'one');
    await shows(page, '1/1');
    await service.kill('SIGKILL');
    // A page that comes meanwhile waits for its counts.
    const late = await (await stage.device()).newPage();
    await late.goto(`${site.url}/p/b`);
    await waitUntil('its stream is open', () => site.open === 2);
    expect(await badge(late)).toBe('');
    service = await startServiceProcess(redis.url, SECRET);
    await shows(late, '1/1', BACK_MS);
    await publish(site, 'two');
    for (const tab of [page, late]) await shows(tab, '2/2');
    expect(await until(page, 'notice', 2)).toEqual(['one', 'two']);
  });

  it('are live again by themselves when Redis was killed', async () => {
    const site = await stage.site({ redis: redis.url });
    const page = await stage.tab(await stage.device(), `${site.url}/p/a`);
    redis.kill('SIGKILL');
    await redis.restart();
    const isBack = (): Promise<boolean> =>
      publish(site, 'one').then(
        () => true,
        () => false,
      );
    await waitUntil('notices can be published', isBack, BACK_MS);
    await shows(page, '1/1', BACK_MS);
    expect(await until(page, 'notice')).toEqual(['one']);
  });

  it('go on with another process where they were, as after a deploy', async () => {
    const site = await stage.site({ redis: redis.url });
    const page = await stage.tab(await stage.device(), `${site.url}/p/a`);
    await publish(site, 'one');
    await until(page, 'notice');
    await site.replace();
    await publish(site, 'two');
    await shows(page, '2/2', BACK_MS);
    expect(await until(page, 'notice', 2)).toEqual(['one', 'two']);
    expect(await toldOf(page, 'stale')).toEqual([]);
  });

  it('are told "stale" where nobody knows any more what they missed', async () => {
    const site = await stage.site({ redis: redis.url });
    const page = await stage.tab(await stage.device(), `${site.url}/p/a`);
    await publish(site, 'one');
    await until(page, 'notice');
    site.cut();
    await publish(site, 'two', 'three');
    const [stream] = await redis.redis.command<string[]>('KEYS', '*@live');
    await redis.redis.command('XTRIM', stream!, 'MAXLEN', '1');
    await site.replace();
    site.mend();
    await until(page, 'stale');
    await shows(page, '3/3');
  });

  it('tell a tab that takes over what the closed one did not hear any more, also when nothing had been told before', async () => {
    const site = await stage.site({ redis: redis.url });
    const device = await stage.device();
    const leader = await stage.tab(device, `${site.url}/p/0`);
    const next = await stage.tab(device, `${site.url}/p/1`);
    expect(site.open).toBe(1);
    site.cut();
    await site.sw.notices.publish({ to: { group: site.group }, id: 'unheard', text: 'One' });
    await leader.close();
    site.mend();
    expect(await until(next, 'notice')).toEqual(['unheard']);
    await shows(next, '1/1');
  });
});
