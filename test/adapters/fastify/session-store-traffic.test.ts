import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createConnection, type RedisConnection } from '../../../src/redis/index.ts';
import { startRedisProxy } from '../../support/redis-proxy.ts';
import { useRedis } from '../../support/use-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { Sites } from './fastify-stage.ts';

const server = useRedis({ eachTest: 'kept' });
let redis: RedisConnection;
let sites: Sites;

beforeAll(async () => {
  redis = await createConnection(server.url).connect();
  sites = new Sites({ redis: server.url, deadlineMs: 20_000 });
});
afterAll(async () => {
  await redis?.close();
});
afterEach(() => sites.close());

describe('what reaches Redis', () => {
  it('is one write for a session that was changed', async () => {
    const proxy = await startRedisProxy(server.socketPath);
    onTestFinished(() => proxy.close());
    const site = await sites.open({ store: { redis: proxy.url } });
    const browser = site.browser();
    await browser.get('/login/ada');
    const before = await callsOfWrites();
    proxy.reset();
    await browser.get('/login/bob');
    expect(await writesSince(before)).toBe(1);
    const names = proxy.commands().map(([name]) => name!);
    expect(names.filter((name) => !['GET', 'GETRANGE', 'TIME', 'PING'].includes(name))).toHaveLength(1);
  });

  it('keeps a session whose cookie has run out between two renewals', async () => {
    const site = await sites.open({
      session: { cookie: { secure: false, maxAge: 2_000 } },
      store: { touchEveryMs: 2_000 },
    });
    const browser = site.browser();
    const { setCookies } = await browser.get('/login/ada');
    const expires = Date.parse(/Expires=([^;]+)/.exec(setCookies[0]!)![1]!);
    const { cookie } = browser;
    await waitUntil('the cookie of the first answer has expired', () => Date.now() > expires + 1_050);
    expect((await browser.get('/me')).body.user).toBe('ada');
    expect(browser.cookie).toBe(cookie);
  });

  it('keeps it also where this process’s clock is ahead of Redis’s', async () => {
    const site = await sites.open({ session: { cookie: { secure: false, maxAge: 60_000 } } });
    const browser = site.browser();
    await browser.get('/login/ada');
    const now = Date.now.bind(Date);
    const ahead = vi.spyOn(Date, 'now').mockImplementation(() => now() + 90_000);
    onTestFinished(() => ahead.mockRestore());
    expect((await browser.get('/me')).body.user).toBe('ada');
  });
});

describe('the longest life of a session', () => {
  it('is not outlived by its cookie', async () => {
    const site = await sites.open({ store: { absoluteMs: 60_000 } });
    const browser = site.browser();
    const last = Date.now() + 60_000;
    for (const path of ['/login/ada', '/me', '/login/bob']) {
      const { setCookies } = await browser.get(path);
      const expires = Date.parse(/Expires=([^;]+)/.exec(setCookies[0]!)![1]!);
      expect(expires).toBeLessThanOrEqual(last + 5_000);
      expect(expires).toBeGreaterThan(last - 5_000);
    }
  });
});

/** How often session records were written: by SET as a whole, by SETRANGE where a session is renewed. */
async function callsOfWrites(): Promise<number> {
  const stats = await redis.command<string>('INFO', 'commandstats');
  const calls = [...stats.matchAll(/cmdstat_(?:set|setrange):calls=(\d+)/g)];
  return calls.reduce((sum, [, count]) => sum + Number(count), 0);
}

async function writesSince(before: number): Promise<number> {
  return (await callsOfWrites()) - before;
}
