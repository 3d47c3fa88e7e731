import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createToken } from '../../../src/protocol/index.ts';
import { SessionData, type SessionDataOptions } from '../../../src/sessions/index.ts';
import { type RedisProxy, startRedisProxy } from '../../support/redis-proxy.ts';
import { useRedis } from '../../support/use-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';

// What the connection sends by itself.
const OWN = ['PING', 'TIME', 'HELLO', 'CLIENT'];

describe('the commands that session data send', () => {
  const server = useRedis({ eachTest: 'kept' });
  let proxy: RedisProxy;
  const opened: SessionData[] = [];
  const open = (options: Partial<SessionDataOptions> = {}): SessionData => {
    const data = new SessionData({ redis: proxy.url, sweep: false, deadlineMs: 20_000, ...options });
    opened.push(data);
    return data;
  };
  const sent = (): string[] =>
    proxy
      .commands()
      .map(([name]) => name!)
      .filter((name) => !OWN.includes(name));

  beforeAll(async () => {
    proxy = await startRedisProxy(server.socketPath);
  });
  beforeEach(() => proxy.reset());
  afterAll(async () => {
    await Promise.all(opened.map((data) => data.close()));
    await proxy.close();
  });

  it('a load is one GET', async () => {
    const data = open();
    const token = createToken();
    await data.save(token, { a: 1 });
    proxy.reset();
    await data.load(token);
    expect(sent()).toEqual(['GET']);
  });

  it('100 touches within touchEveryMs send nothing', async () => {
    const data = open({ idleMs: 60_000, touchEveryMs: 30_000 });
    const token = createToken();
    await data.save(token, { cookie: { path: '/' } });
    const loaded = (await data.load(token))!;
    proxy.reset();
    const values = data.valuesOf(loaded);
    for (let i = 0; i < 100; i += 1) expect(await data.touch(token, values, loaded)).toBe(true);
    expect(sent()).toEqual([]);
  });

  it('a touch after touchEveryMs sends one command, and the next ones none', async () => {
    const data = open({ idleMs: 60_000, touchEveryMs: 100 });
    const token = createToken();
    await data.save(token, { a: 1 });
    const loaded = (await data.load(token))!;
    const due = data.infoOf(loaded).lastSeenAt + 100;
    await waitUntil('the touch is due', () => data.now() > due + 50);
    proxy.reset();
    for (let i = 0; i < 5; i += 1) expect(await data.touch(token, {}, loaded)).toBe(true);
    expect(sent()).toHaveLength(1);
  });

  it('with touchEveryMs 0 each touch is sent', async () => {
    const data = open({ idleMs: 60_000, touchEveryMs: 0 });
    const token = createToken();
    await data.save(token, { a: 1 });
    const loaded = (await data.load(token))!;
    proxy.reset();
    for (let i = 0; i < 5; i += 1) await data.touch(token, {}, loaded);
    expect(sent()).toHaveLength(5);
  });

  it('a save, a change and an end are one command each', async () => {
    const data = open();
    const token = createToken();
    await data.save(token, { a: 1 }, undefined, { isNew: true });
    const loaded = (await data.load(token))!;
    for (const operation of [
      () => data.save(token, { a: 2 }, loaded),
      () => data.increment(token, 'n', 1, loaded),
      () => data.append(token, 'l', [1], loaded),
      () => data.setIf(token, data.infoOf(loaded).version, { b: 1 }, loaded),
      () => data.identify(token, 'ada', {}, loaded),
      () => data.end(token),
    ]) {
      proxy.reset();
      await operation();
      expect(sent()).toHaveLength(1);
    }
  });

  it('what can be no token is not asked about', async () => {
    const data = open();
    await data.load(createToken());
    proxy.reset();
    expect(await data.load('')).toBeUndefined();
    expect(await data.load('x'.repeat(1 << 20))).toBeUndefined();
    expect(await data.end('')).toBe(false);
    expect(sent()).toEqual([]);
  });

  it('neither the token nor its secret is ever sent', async () => {
    const data = open();
    const token = createToken();
    await data.save(token, { a: 1 });
    const loaded = (await data.load(token))!;
    await data.touch(token, {}, loaded);
    const next = await data.rotate(token, {}, loaded);
    await data.identify(next, 'ada');
    await data.end(next);
    const all = proxy.commands().flat().join('\n');
    for (const secret of [token, next].map((one) => one.slice(26))) expect(all.includes(secret)).toBe(false);
  });
});
