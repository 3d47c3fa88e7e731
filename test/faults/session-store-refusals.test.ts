import { describe, expect, it, onTestFinished } from 'vitest';
import { hasRedis7 } from '../support/test-server.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { loggedIn, openSite, type Site, tokenIn, Visitor, watchForCrashes } from './session-store-stage.ts';

/* Redis answers, but with errors: its memory is full, it is a replica, it loads its data. Reads may go on; what is not
 * written is told. */

const slowLoad = hasRedis7 ? ['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024'] : [];
const server = useRedis({ persistence: true, extraArgs: slowLoad, eachTest: 'kept' });
const { redis } = server;
let namespaces = 0;

async function stage(fail: 'closed' | 'open'): Promise<{ site: Site; user: Visitor }> {
  namespaces += 1;
  const namespace = `refused${namespaces}`;
  const site = await openSite({ redis: server.url, namespace, fail, deadlineMs: 5_000, sweep: false });
  onTestFinished(() => site.close());
  return { site, user: await loggedIn(site, 'ada') };
}

const refusals = [
  {
    name: 'whose memory is full',
    // The policy is noeviction unless told; 6.2 takes one setting at a time.
    begin: () => redis.command('CONFIG', 'SET', 'maxmemory', '1'),
    end: () => redis.command('CONFIG', 'SET', 'maxmemory', '0'),
  },
  {
    name: 'that became a replica',
    begin: () => redis.command('REPLICAOF', '127.0.0.1', '1'),
    end: () => redis.command('REPLICAOF', 'NO', 'ONE'),
  },
];

describe.each(['closed', 'open'] as const)('a session store with fail: %s, and a Redis', (fail) => {
  describe.each(refusals)('$name', ({ begin, end }) => {
    it('is read; what it refuses to write is told, and nobody is logged out', async () => {
      const crashes = watchForCrashes();
      const { site, user } = await stage(fail);
      const token = tokenIn(user.cookie);
      const stranger = new Visitor(site);
      await begin();
      const read = await user.get();
      const written = await user.post('/cart/refused');
      const waited = await user.post('/saved-cart/refused');
      const loud = [await user.post('/login/bob'), await user.post('/rotated-login/bob'), await user.post('/logout')];
      const strange = await stranger.post('/saved-cart/refused');
      await end();
      expect(crashes()).toEqual([]);

      const kept = { user: 'ada', cart: ['first-of-ada'], degraded: false };
      expect({ status: read.status, body: read.body }).toEqual({ status: 200, body: kept });
      // Its headers were written before the save failed.
      expect(written.status).toBe(200);
      expect(waited.status).toBe(fail === 'closed' ? 503 : 200);
      expect(strange.status).toBe(fail === 'closed' ? 503 : 200);
      for (const { status, body } of loud)
        expect({ status, ...body }).toEqual({ status: 503, code: 'STORE_UNAVAILABLE' });
      const told = fail === 'closed' ? site.errors : site.degraded;
      expect(told.length).toBe(fail === 'closed' ? 6 : 3);
      expect([read, written, waited, ...loud].flatMap(({ cookies }) => cookies)).toEqual([]);

      expect(tokenIn(user.cookie)).toBe(token);
      expect((await user.get()).body).toEqual(kept);
      expect((await user.post('/saved-cart/second')).body.cart).toEqual(['first-of-ada', 'second']);
      expect(await site.store.length()).toBe(1);
    });

    it('is one outage, however many requests read and fail to write', async () => {
      const { site, user } = await stage(fail);
      await begin();
      for (let i = 0; i < 10; i += 1) {
        expect((await user.get()).status).toBe(200);
        await user.post('/saved-cart/refused');
      }
      await end();
      expect((await user.post('/saved-cart/second')).status).toBe(200);
      expect(site.told).toEqual(['store:down', 'store:up']);
    });
  });

  it('that is paused for writes is an outage from the first write on', async () => {
    const crashes = watchForCrashes();
    const { site: calm, user } = await stage(fail);
    const token = tokenIn(user.cookie);
    const options = { redis: server.url, namespace: `refused${namespaces}`, fail, sweep: false };
    const site = await openSite({ ...options, deadlineMs: 500 });
    onTestFinished(() => site.close());
    await waitUntil('the store is up', () => site.store.data.isUp);
    user.goTo(site);
    await redis.command('CLIENT', 'PAUSE', '60000', 'WRITE');
    const answers = [await user.post('/saved-cart/paused'), await user.post('/logout'), await user.get()];
    await redis.command('CLIENT', 'UNPAUSE');
    expect(crashes()).toEqual([]);
    expect(answers.flatMap(({ cookies }) => cookies)).toEqual([]);
    const outcomes = answers.map(({ status, body }) => `${status} ${body.code ?? body.degraded}`);
    const failed = '503 STORE_UNAVAILABLE';
    // The first of them was loaded; the others come behind its save.
    expect(outcomes).toEqual(fail === 'closed' ? [failed, failed, failed] : ['200 false', failed, '200 true']);
    await waitUntil('the store is up', async () => (await user.get()).body.user === 'ada');
    expect(site.told.slice(0, 2)).toEqual(['store:down', 'store:up']);
    user.goTo(calm);
    expect((await user.get()).body.cart?.[0]).toBe('first-of-ada');
    expect(tokenIn(user.cookie)).toBe(token);
  });

  it.skipIf(!hasRedis7)(
    'that loads its data is one outage, and answers when it has them',
    { timeout: 60_000 },
    async () => {
      const crashes = watchForCrashes();
      const { site, user } = await stage(fail);
      const token = tokenIn(user.cookie);
      for (let i = 0; i < 2_000; i += 1) await redis.command('SET', `filler:${i}`, 'x'.repeat(100));
      await redis.command('SAVE');
      await redis.command('BGREWRITEAOF');
      await waitUntil('the AOF is rewritten', async () => {
        const info = await redis.command<string>('INFO', 'persistence');
        return ['aof_rewrite_in_progress:0', 'aof_rewrite_scheduled:0'].every((line) => info.includes(line));
      });
      server.kill('SIGKILL');
      let restarted = false;
      const restart = server.restart().then(() => {
        restarted = true;
      });
      const messages = new Set<string>();
      while (!restarted) {
        const { status, body, cookies } = await user.get();
        expect(cookies).toEqual([]);
        if (fail === 'closed' && status !== 200)
          expect({ status, ...body }).toEqual({ status: 503, code: 'STORE_UNAVAILABLE' });
        else expect(status).toBe(200);
        await site.store.data.load(token).catch((error: Error) => messages.add(error.message));
      }
      await restart;
      await waitUntil('the store is up', async () => (await user.get()).body.user === 'ada');
      expect(crashes()).toEqual([]);
      expect([...messages].filter((message) => message.includes('LOADING'))).toHaveLength(1);
      expect(site.told).toEqual(['store:down', 'store:up']);
      expect(tokenIn(user.cookie)).toBe(token);
      expect((await user.get()).body).toEqual({ user: 'ada', cart: ['first-of-ada'], degraded: false });
    },
  );
});
