import { randomBytes } from 'node:crypto';
import { RedisStore } from 'connect-redis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessionOf } from '../../src/protocol/index.ts';
import { SessionData, type SessionDataOptions } from '../../src/sessions/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { inParallel, SessionDataStage } from './session-data/session-data-stage.suite.ts';

const encryption = { keys: [randomBytes(32)], acceptPlain: true };

describe.each<[string, Partial<SessionDataOptions>]>([
  ['plain', {}],
  ['encrypted', { encryption }],
])('sessions of connect-redis, %s', (_, extra) => {
  const server = useRedis({ eachTest: 'kept' });
  const { redis } = server;
  let client: ReturnType<typeof createClient>;
  let theirs: RedisStore;
  let data: SessionData;
  let count = 0;
  const stage = new SessionDataStage({
    open: (options) => new SessionData({ redis: server.url, importFrom: 'sess:', ...extra, ...options }),
    get redis() {
      return redis;
    },
  });

  beforeAll(async () => {
    client = createClient({ socket: { path: server.socketPath, tls: false } });
    await client.connect();
    theirs = new RedisStore({ client });
    data = stage.open();
  });
  afterAll(async () => {
    await stage.closeAll();
    await client.close();
  });

  /** A session as express-session and connect-redis leave it. */
  async function theirSession(fields: object, maxAgeMs: number | null = 600_000): Promise<string> {
    count += 1;
    const token = `sid-${count}-${randomBytes(12).toString('base64url')}`;
    const expires = maxAgeMs === null ? null : new Date(Date.now() + maxAgeMs);
    await theirs.set(token, { cookie: { originalMaxAge: maxAgeMs, expires, httpOnly: true, path: '/' }, ...fields });
    return token;
  }
  const isThere = async (token: string): Promise<boolean> =>
    (await redis.command<number>('EXISTS', `sess:${token}`)) > 0;

  it('is taken over with all its fields at the first read, and its old key is gone', async () => {
    const fields = { user: 'ada', cart: [{ id: 1, tags: [] }], n: 2 ** 53, 'odd name': { ü: null } };
    const token = await theirSession(fields);
    const loaded = (await data.load(token))!;
    const { cookie, ...rest } = data.valuesOf(loaded);
    expect(rest).toEqual(fields);
    expect(cookie).toMatchObject({ originalMaxAge: 600_000, httpOnly: true, path: '/' });
    expect(await isThere(token)).toBe(false);
    expect(await data.save(token, { cookie, ...rest, n: 1 }, loaded)).toBeDefined();
    expect(await stage.values(data, token)).toMatchObject({ n: 1, user: 'ada' });
    expect((await stage.lifecycle(token)).map(({ event }) => event)).toEqual(['created']);
    expect(await data.sessions()).toContain(sessionOf(token));
  });

  it("what is left of the old key's time is the session's time", async () => {
    const token = await theirSession({ a: 1 }, 3_600_000);
    await redis.command('PEXPIRE', `sess:${token}`, '100000');
    const { expiresAt } = data.infoOf((await data.load(token))!);
    const left = expiresAt - (await stage.serverNow());
    expect(left).toBeGreaterThan(90_000);
    expect(left).toBeLessThanOrEqual(110_000);
  });

  it('a session without cookie end keeps the time of its key and has none afterwards', async () => {
    const token = await theirSession({ a: 1 }, null);
    const loaded = (await data.load(token))!;
    expect((data.valuesOf(loaded).cookie as { expires: unknown }).expires).toBeNull();
    const left = data.infoOf(loaded).expiresAt - (await stage.serverNow());
    expect(left).toBeGreaterThan(86_000_000);
    expect(left).toBeLessThanOrEqual(86_400_000 * 1.1);
  });

  it('the idle time of this store counts where it is shorter', async () => {
    const short = stage.open({ idleMs: 50_000 });
    const token = await theirSession({ a: 1 });
    const { expiresAt } = short.infoOf((await short.load(token))!);
    expect(expiresAt - (await stage.serverNow())).toBeLessThanOrEqual(55_000);
  });

  it('20 reads at once: each sees it, it begins once', async () => {
    const stores = [data, stage.open()];
    const token = await theirSession({ a: 1 });
    const loaded = await inParallel(20, (i) => stores[i % 2]!.load(token));
    expect(loaded.map((one) => data.valuesOf(one!).a)).toEqual(Array.from({ length: 20 }, () => 1));
    expect((await stage.lifecycle(token)).map(({ event }) => event)).toEqual(['created']);
    expect(await isThere(token)).toBe(false);
  });

  it('a session that has ended does not come back from there', async () => {
    const token = await theirSession({ a: 1 });
    expect(await data.load(token)).toBeDefined();
    await data.end(token);
    await theirs.set(token, { cookie: { originalMaxAge: null } } as never);
    expect(await data.load(token)).toBeUndefined();
    expect(await data.load(token)).toBeUndefined();

    const unread = await theirSession({ a: 1 });
    await data.end(unread);
    expect(await isThere(unread)).toBe(false);
    expect(await data.load(unread)).toBeUndefined();
  });

  it('200 reads and ends at once: what was ended stays so', async () => {
    const stores = [data, stage.open()];
    const tokens = await inParallel(200, () => theirSession({ a: 1 }));
    await Promise.all(
      tokens.map(async (token, i) => {
        const reads = inParallel(3, (of) => stores[of % 2]!.load(token));
        // Ended in another turn of each read's round trips.
        for (let turn = 0; turn < i % 7; turn += 1) await redis.command('PING');
        await stores[i % 2]!.end(token);
        await reads;
      }),
    );
    const living = await Promise.all(tokens.map((token) => data.load(token)));
    expect(living.filter(Boolean)).toHaveLength(0);
  });

  it('reads of two processes and the changes behind them: no take-over undoes a change', async () => {
    const stores = [data, stage.open()];
    const tokens = await inParallel(100, () => theirSession({ n: 0 }));
    await Promise.all(
      tokens.map((token, i) =>
        inParallel(4, async (of) => {
          for (let turn = 0; turn < (i * of) % 5; turn += 1) await redis.command('PING');
          const store = stores[of % 2]!;
          if (await store.load(token)) await store.increment(token, 'n');
        }),
      ),
    );
    const sums = await Promise.all(tokens.map(async (token) => (await stage.values(data, token))?.n));
    expect(sums.filter((n) => n !== 4)).toEqual([]);
  });

  it('a save or a change by a token that was never read here takes nothing away from there', async () => {
    const token = await theirSession({ a: 1 });
    expect(await data.touch(token, {})).toBe(false);
    await expect(data.increment(token, 'n')).rejects.toThrow(/ended|never saved/);
    expect(await stage.values(data, token)).toMatchObject({ a: 1 });
  });

  it('a key without a time, as with disableTTL, counts as renewed now', async () => {
    const token = `no-ttl-${randomBytes(6).toString('hex')}`;
    const cookie = { originalMaxAge: 3_600_000, expires: new Date(Date.now() - 1_000), path: '/' };
    await redis.command('SET', `sess:${token}`, JSON.stringify({ cookie, user: 'ada' }));
    expect(data.infoOf((await data.load(token))!).expiresAt).toBeGreaterThan(data.now() + 3_500_000);
    expect(await stage.values(data, token)).toMatchObject({ user: 'ada' });
  });

  it('what is there and is no session is left as it is', async () => {
    for (const text of ['', 'garbage', '{', 'null', '7', '"text"', '[]', '{}', '{"cookie":null}', '{"cookie":"x"}']) {
      const token = `odd-${randomBytes(6).toString('hex')}`;
      await redis.command('SET', `sess:${token}`, text);
      expect(await data.load(token)).toBeUndefined();
      expect(await redis.command('GET', `sess:${token}`)).toBe(text);
      expect(await stage.bytes(token)).toBeNull();
    }
    const list = `list-${randomBytes(6).toString('hex')}`;
    await redis.command('LPUSH', `sess:${list}`, '{"cookie":{}}');
    expect(await data.load(list)).toBeUndefined();
    expect(await redis.command('TYPE', `sess:${list}`)).toBe('list');
    expect(data.isUp).toBe(true);
  });

  it('another prefix is looked at where it is told, and none where none is', async () => {
    const token = await theirSession({ a: 1 });
    const other = stage.open({ importFrom: 'other:', namespace: stage.freshNamespace() });
    expect(await other.load(token)).toBeUndefined();
    const none = new SessionData({ redis: server.url, namespace: stage.freshNamespace(), sweep: false, ...extra });
    expect(await none.load(token)).toBeUndefined();
    await none.close();
    expect(await isThere(token)).toBe(true);
    await new RedisStore({ client, prefix: 'other:' }).set(token, { cookie: { originalMaxAge: null }, b: 2 } as never);
    expect(await stage.values(other, token)).toMatchObject({ b: 2 });
  });

  it('an anonymous rotation moves it on: the old token was the only way to the old key', async () => {
    const token = await theirSession({ a: 1 });
    await data.load(token);
    const next = await data.rotate(token);
    expect(sessionOf(next)).toBe(sessionOf(token));
    expect(await stage.values(data, next)).toMatchObject({ a: 1 });
    await data.end(next);
    expect(await data.load(token)).toBeUndefined();
  });
});
