import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ROBOTS_INTERVAL_MS } from '../../src/client/robot-counting.ts';
import { SessionClient } from '../../src/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { metricOf } from '../support/metric-of.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { useRedis } from '../support/use-redis.ts';
import { pace, waitUntil } from '../support/wait-until.ts';

/* A serving process tells the service how many robots it refused: once a second at most, whatever robots do. */

const SECRET = 'a secret of the tests, long enough';
const DEADLINE_MS = 30_000;
const server = useRedis({ eachTest: 'kept' });
let proxy: RedisProxy;
beforeAll(async () => {
  proxy = await startRedisProxy(server.socketPath);
});
afterAll(() => proxy.close());

describe.each(['channels', 'streams'] as const)('robots that a client counts, over %s', (transport) => {
  const open = async (): Promise<SessionClient> => {
    const client = new SessionClient({ redis: proxy.url, transport, deadlineMs: DEADLINE_MS });
    onTestFinished(() => client.close());
    expect(await client.ready(DEADLINE_MS)).toBe(true);
    return client;
  };
  const start = async (): Promise<Service> => {
    const service = await startService({ redis: server.url, secret: SECRET, transport });
    onTestFinished(() => service.stop());
    return service;
  };
  /** A client that knows of its service: the first heartbeat came before the first answer. */
  const openBoth = async () => {
    const client = await open();
    const service = await start();
    expect(await client.request('pageview', 'ada', '/a')).toBeDefined();
    return { client, told: () => metricOf(service.metrics.robotRequests) };
  };
  /** Messages that the client sent about robots. */
  const messages = () =>
    proxy.commands('sessionwise-client').filter((words) => words.some((word) => /\brobots\b/.test(word)));

  it('are told in one message a second', async () => {
    const { client, told } = await openBoth();
    proxy.reset();
    const startedAt = performance.now();
    let robots = 0;
    while (performance.now() - startedAt < 2.5 * ROBOTS_INTERVAL_MS) {
      for (let i = 0; i < 1_000; i += 1) client.countRobot();
      robots += 1_000;
      await pace();
    }
    await waitUntil('all are told', async () => (await told()) === robots, DEADLINE_MS);
    const seconds = (performance.now() - startedAt) / ROBOTS_INTERVAL_MS;
    expect(robots).toBeGreaterThan(1_000);
    expect(messages().length).toBeGreaterThan(1);
    expect(messages().length).toBeLessThanOrEqual(seconds);
    expect(client.counters).toMatchObject({ requests: 1, publishes: 0, unheard: 0, degraded: {} });
  }, 90_000);

  it('are told when the client closes', async () => {
    const { client, told } = await openBoth();
    for (let i = 0; i < 5; i += 1) client.countRobot();
    await client.close();
    client.countRobot();
    await waitUntil('they are told', async () => (await told()) === 5, DEADLINE_MS);
  }, 90_000);

  it('are kept for a service that comes some seconds later', async () => {
    const client = await open();
    for (let i = 0; i < 5; i += 1) client.countRobot();
    const service = await start();
    const told = () => metricOf(service.metrics.robotRequests);
    await waitUntil('they are told', async () => (await told()) === 5, DEADLINE_MS);
  }, 90_000);

  it('are told to nobody where no service is there, and no robot waits', async () => {
    const client = await open();
    proxy.reset();
    for (let i = 0; i < 5; i += 1) client.countRobot();
    await client.close();
    expect(messages()).toEqual([]);
  });
});
