import { describe, expect, it } from 'vitest';
import { findBrowser } from '../support/find-browser.ts';
import { useRedis } from '../support/use-redis.ts';
import { ScriptStage, visitorOf } from './script-site.ts';

const executablePath = findBrowser();

/** What a browser with the signal says, in its headers and to scripts. */
const SIGNALS: [string, Record<string, string>, string][] = [
  [
    'GPC',
    { 'Sec-GPC': '1' },
    `Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })`,
  ],
  ['DNT', { DNT: '1' }, `Object.defineProperty(Navigator.prototype, 'doNotTrack', { get: () => '1' })`],
];

describe.skipIf(executablePath === undefined)('a browser that does not want to be known', () => {
  const redis = useRedis({ eachTest: 'kept' });
  const stage = new ScriptStage(redis, executablePath!);

  it.each(SIGNALS)('%s: no message, no cookie, and Redis knows nothing', async (_, extraHTTPHeaders, code) => {
    const site = await stage.open();
    const page = await stage.arrive({ extraHTTPHeaders });
    await page.addInitScript(code);
    for (const path of ['/p/a', '/cdn/a', '/kept/a', '/p/b']) {
      await page.goto(site.url + path);
      await page.evaluate(`history.pushState(0, '', '/spa/x')`);
    }
    await page.goBack();
    await page.goto('about:blank');
    await fetch(`${site.url}/without`);
    expect(site.proxy.messages).toEqual([]);
    expect(await visitorOf(page.context())).toBeUndefined();
    expect(await redis.redis.command('KEYS', 'sw:{*}:*:k')).toEqual([]);
  });

  it('is told from one that says nothing', async () => {
    const site = await stage.open();
    const page = await stage.arrive();
    await page.goto(`${site.url}/p/a`);
    await stage.expectTotal(site, page, 1);
    expect(await redis.redis.command<string[]>('KEYS', 'sw:{*}:*:k')).toHaveLength(1);
  });
});
