import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { NotKeptError, SessionClient } from '../../src/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* A client of a service in the same process. */

const SECRET = 'a secret of the tests, long enough';
const LONG_MS = 20_000;
const SLACK_MS = 1_000;

const server = useRedis();
let service: Service;
beforeEach(async () => {
  service = await startService({ redis: server.url, secret: SECRET, transport: 'inline' });
});
afterEach(async () => {
  await service.stop(100);
});

function open(options: { deadlineMs?: number; keepDeadlineMs?: number } = {}): SessionClient {
  const client = new SessionClient({ transport: service.inline, deadlineMs: LONG_MS, ...options });
  onTestFinished(() => client.close());
  return client;
}

describe('a client of a service in its own process', () => {
  it('is ready at once and needs no Redis of its own', async () => {
    const client = open();
    expect(await client.ready(1)).toBe(true);
    expect(await client.request('pageview', 'abc', '/a')).toMatchObject({ totalPages: 1 });
    expect(await client.publish('pageview', 'abc', '/b')).toBe(true);
    // Not counted some time soon: it settles when it is done.
    expect(await client.request('session-analytics', 'abc', '')).toMatchObject({ totalPages: 2 });
    expect(client.counters).toMatchObject({ requests: 2, replies: 2, publishes: 1, unheard: 0, degraded: {} });
  });

  it('knows when what must be kept is done', async () => {
    const client = open();
    expect(await client.publish('mark-item-seen', 'abc', ['x', 'y'])).toBe(true);
    expect(await client.request('surface', 'abc', ['x', 'y', 'z'])).toEqual(['z']);
    await expect(client.publish('mark-item-seen', 'abc', '')).rejects.toBeInstanceOf(NotKeptError);
    expect(client.counters).toMatchObject({ publishes: 2, unheard: 1 });
  });

  it('is one of many: closing it closes neither the others nor the service', async () => {
    const [first, second] = [open(), open()];
    await first.close();
    expect(await first.ready(10)).toBe(false);
    expect(await first.request('pageview', 'abc', '/a')).toBeUndefined();
    expect(first.counters.degraded).toEqual({ disconnected: 1 });
    expect(await second.request('pageview', 'abc', '/a')).toMatchObject({ totalPages: 1 });
    expect(await open().request('pageview', 'abc', '/a')).toMatchObject({ totalPages: 2 });
  });

  it('waits no longer than its deadline where Redis has frozen', async () => {
    const client = open({ deadlineMs: 100, keepDeadlineMs: 100 });
    server.kill('SIGSTOP');
    try {
      const before = performance.now();
      const pages = await Promise.all(Array.from({ length: 20 }, () => client.request('pageview', 'abc', '/a')));
      expect(new Set(pages)).toEqual(new Set([undefined]));
      expect(client.counters.degraded).toEqual({ deadline: 20 });
      await expect(client.publish('mark-item-seen', 'abc', 'x')).rejects.toMatchObject({ code: 'NOT_KEPT' });
      expect(performance.now() - before).toBeLessThan(200 + SLACK_MS);
    } finally {
      server.kill('SIGCONT');
    }
    await waitUntil('late answers are counted', () => client.counters.lateReplies === 20);
    await waitUntil('it is answered again', async () => (await client.request('surface', 'abc', [])) !== undefined);
  });

  it('hears that the service cannot serve where Redis is away, at once', async () => {
    const client = open();
    server.kill('SIGKILL');
    await waitUntil('it is told so', async () => {
      await client.request('surface', 'abc', ['/a']);
      return (client.counters.degraded.unavailable ?? 0) > 0;
    });
    expect(await client.ready(10)).toBe(false);
    expect(await client.publish('pageview', 'abc', '/a')).toBe(false);
    await expect(client.publish('mark-item-seen', 'abc', 'x')).rejects.toMatchObject({ code: 'NOT_KEPT' });
    await server.restart();
    expect(await client.ready(LONG_MS)).toBe(true);
    expect(await client.request('pageview', 'abc', '/a')).toMatchObject({ totalPages: 1 });
  });

  it('settles what waits when the service stops, and everything after', async () => {
    const client = open();
    server.kill('SIGSTOP');
    const waiting = Array.from({ length: 10 }, () => client.request('pageview', 'abc', '/a'));
    const stopped = service.stop(10);
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => undefined));
    server.kill('SIGCONT');
    await stopped;
    expect(await client.request('pageview', 'abc', '/a')).toBeUndefined();
    expect(client.counters.degraded).toEqual({ disconnected: 11 });
    expect(await client.publish('pageview', 'abc', '/a')).toBe(false);
    await expect(client.publish('mark-item-seen', 'abc', 'x')).rejects.toMatchObject({ code: 'NOT_KEPT' });
    expect(await open().request('pageview', 'abc', '/a')).toBeUndefined();
  });
});
