import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createToken } from '../../../src/protocol/index.ts';
import { SessionData, StoreUnavailableError } from '../../../src/sessions/index.ts';
import { type RedisProxy, startRedisProxy } from '../../support/redis-proxy.ts';
import { useRedis } from '../../support/use-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';

/* A store whose Redis is away as it begins, goes, and comes. */

const SLACK_MS = 500;

const server = useRedis({ eachTest: 'new' });

beforeEach(async () => {
  // Nothing kept, so that it never answers that it is loading.
});

function open(redis: string, deadlineMs: number): { data: SessionData; told: string[] } {
  const data = new SessionData({ redis, deadlineMs });
  onTestFinished(() => data.close());
  const told: string[] = [];
  data.on('store:down', () => told.push('down')).on('store:up', () => told.push('up'));
  return { data, told };
}

/** How long the slowest of `count` loads took to be refused, all asked at once. */
async function refusals(data: SessionData, count: number): Promise<{ slowestMs: number; stallMs: number }> {
  const loopDelay = monitorEventLoopDelay({ resolution: 5 });
  loopDelay.enable();
  const times = await Promise.all(
    Array.from({ length: count }, async () => {
      const asked = performance.now();
      const error = await data.load(createToken()).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(StoreUnavailableError);
      return performance.now() - asked;
    }),
  );
  loopDelay.disable();
  return { slowestMs: Math.max(...times), stallMs: loopDelay.max / 1e6 };
}

describe('session data that begin while Redis is away', () => {
  it('waits a deadline at most, then for nothing, and works as soon as Redis is there', async () => {
    const deadlineMs = 300;
    server.kill('SIGKILL');
    const { data, told } = open(server.url, deadlineMs);
    expect(data.isUp).toBe(false);
    const first = await refusals(data, 50);
    expect(first.slowestMs, JSON.stringify(first)).toBeLessThan(deadlineMs + SLACK_MS + first.stallMs);
    // Each would have waited a deadline, one after the other.
    const more = performance.now();
    for (let i = 0; i < 1_000; i += 1) await expect(data.load(createToken())).rejects.toThrow(StoreUnavailableError);
    expect(performance.now() - more).toBeLessThan(100 * deadlineMs);
    expect(told).toEqual(['down']);

    await server.restart();
    const token = createToken();
    await waitUntil('it is up', () => data.isUp);
    expect(await data.save(token, { x: 1 })).toBeDefined();
    expect(data.valuesOf((await data.load(token))!)).toEqual({ x: 1 });
    expect(told).toEqual(['down', 'up']);
  });

  it('serves within the deadline what was asked before Redis was there', async () => {
    server.kill('SIGKILL');
    const { data, told } = open(server.url, 30_000);
    const token = createToken();
    const saved = data.save(token, { x: 1 });
    const loaded = Promise.all(Array.from({ length: 20 }, () => data.load(createToken())));
    await server.restart();
    expect(await saved).toBeDefined();
    expect(await loaded).toEqual(Array(20).fill(undefined));
    expect(data.valuesOf((await data.load(token))!)).toEqual({ x: 1 });
    expect(told).toEqual(['down', 'up']);
  });

  it('begins while Redis is frozen, too', async () => {
    const deadlineMs = 300;
    server.kill('SIGSTOP');
    const { data, told } = open(server.url, deadlineMs);
    const first = await refusals(data, 50);
    expect(first.slowestMs, JSON.stringify(first)).toBeLessThan(deadlineMs + SLACK_MS + first.stallMs);
    server.kill('SIGCONT');
    await waitUntil('it is up', () => data.isUp);
    expect(told).toEqual(['down', 'up']);
  });
});

describe('outages of session data', () => {
  it('are told once each', { timeout: 60_000 }, async () => {
    const { data, told } = open(server.url, 1_000);
    await waitUntil('it is up', () => data.isUp);
    expect(told).toEqual([]);
    for (let outage = 1; outage <= 3; outage += 1) {
      server.kill('SIGKILL');
      await waitUntil('it is down', () => !data.isUp);
      await refusals(data, 50);
      await server.restart();
      await waitUntil('it is up', () => data.isUp);
      await data.load(createToken());
      expect(told).toEqual(Array(outage).fill(['down', 'up']).flat());
    }
  });

  it('pile nothing up: behind a question that is overdue nobody waits', async () => {
    const deadlineMs = 300;
    const { data } = open(server.url, deadlineMs);
    await waitUntil('it is up', () => data.isUp);
    server.kill('SIGSTOP');
    await refusals(data, 10);
    let waited = 0;
    for (let i = 0; i < 200; i += 1) {
      const { slowestMs } = await refusals(data, 1);
      if (slowestMs >= deadlineMs) waited += 1;
    }
    // None, but for a machine that stands still.
    expect(waited).toBeLessThan(3);
    server.kill('SIGCONT');
    await waitUntil('it answers', () =>
      data.load(createToken()).then(
        () => true,
        () => false,
      ),
    );
  });

  it('are none where it is this process that stands still beyond the deadline', async () => {
    const deadlineMs = 200;
    const token = createToken();
    await open(server.url, 20_000).data.save(token, { x: 1 });
    const { data, told } = open(server.url, deadlineMs);
    await waitUntil('it is up', () => data.isUp);
    const loads = Array.from({ length: 10 }, () => data.load(token));
    // Sent, and answered while nobody here looks.
    await new Promise((resolve) => setImmediate(resolve));
    const until = performance.now() + 3 * deadlineMs;
    while (performance.now() < until);
    for (const loaded of await Promise.all(loads)) expect(data.valuesOf(loaded!)).toEqual({ x: 1 });
    expect(told).toEqual([]);
  });

  describe('on a wire that goes silent for good', () => {
    let proxy: RedisProxy;

    beforeEach(async () => {
      proxy = await startRedisProxy(server.socketPath);
    });
    afterEach(async () => {
      await proxy.close();
    });

    it('end with a new connection', { timeout: 60_000 }, async () => {
      const token = createToken();
      await open(server.url, 20_000).data.save(token, { x: 1 });
      const { data, told } = open(proxy.url, 1_000);
      await waitUntil('it is up', () => data.isUp);
      // Never let go again.
      proxy.hold('sessionwise-store');
      await refusals(data, 10);
      await waitUntil('it is up', () => data.isUp, 20_000);
      expect(data.valuesOf((await data.load(token))!)).toEqual({ x: 1 });
      expect(told).toEqual(['down', 'up']);
    });

    it('that is cut again and again lose no session, and what was acknowledged is there', {
      timeout: 60_000,
    }, async () => {
      const { data } = open(proxy.url, 10_000);
      const acknowledged = new Map<string, number>();
      const tokens = Array.from({ length: 32 }, () => createToken());
      await Promise.all(tokens.map((token) => data.save(token, { n: 0 })));
      let running = true;
      let failed = 0;
      let done = 0;
      const loads = tokens.map(async (token) => {
        while (running) {
          try {
            acknowledged.set(token, await data.increment(token, 'n'));
            done += 1;
          } catch (error) {
            expect(error).toBeInstanceOf(StoreUnavailableError);
            failed += 1;
            await new Promise((resolve) => setImmediate(resolve));
          }
        }
      });
      for (let cut = 0; cut < 10; cut += 1) {
        const then = done;
        await waitUntil('more was done', () => done >= then + 200);
        expect(proxy.cut('sessionwise-store')).toBe(1);
      }
      running = false;
      await Promise.all(loads);
      expect(failed).toBeGreaterThan(0);
      // By a way that nobody cuts.
      const { data: calm } = open(server.url, 20_000);
      let sum = 0;
      for (const token of tokens) {
        const { n } = calm.valuesOf((await calm.load(token))!) as { n: number };
        expect(n).toBeGreaterThanOrEqual(acknowledged.get(token)!);
        sum += n;
      }
      // What failed may have been done, but once at most.
      expect(sum).toBeGreaterThanOrEqual(done);
      expect(sum).toBeLessThanOrEqual(done + failed);
    });
  });
});
