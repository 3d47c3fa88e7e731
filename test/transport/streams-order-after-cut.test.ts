import { once } from 'node:events';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { StreamProducer } from '../support/stream-producer.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* A mark whose connection is cut is sent again; what the same session asks meanwhile must come behind it. */

const ROUNDS = 40;
const LONG_MS = 20_000;

const server = useRedis({ eachTest: 'kept' });
let service: Service;
let proxy: RedisProxy;
beforeAll(async () => {
  proxy = await startRedisProxy(server.socketPath);
  service = await startService({
    redis: server.url,
    secret: 'a secret of the tests, long enough',
    transport: 'streams',
  });
});
afterAll(async () => {
  await service.stop();
  await proxy.close();
});

async function open(keepDeadlineMs = LONG_MS): Promise<SessionClient> {
  const client = new SessionClient({ redis: proxy.url, transport: 'streams', deadlineMs: LONG_MS, keepDeadlineMs });
  onTestFinished(() => client.close());
  expect(await client.ready()).toBe(true);
  return client;
}

/** Cuts the client off while it marks, and waits until it is back. */
async function cutWhile(client: SessionClient, mark: () => void): Promise<void> {
  const release = proxy.hold('sessionwise-client');
  mark();
  const back = once(client, 'up');
  expect(proxy.cut('sessionwise-')).toBeGreaterThanOrEqual(2);
  release();
  await back;
  await waitUntil('it is back', () => client.ready(0), LONG_MS);
}

it('a question after a cut connection is answered with the mark that was sent again', async () => {
  const client = await open();
  let overtaken = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const session = `asks-${round}`;
    const kept: Promise<boolean>[] = [];
    await cutWhile(client, () => {
      kept.push(client.publish('mark-item-seen', session, 'x'), client.publish('mark-item-seen', session, 'y'));
    });
    const fresh = await client.request('surface', session, ['x', 'y', 'z']);
    if (JSON.stringify(fresh) !== '["z"]') overtaken += 1;
    expect(await Promise.all(kept)).toEqual([true, true]);
  }
  expect(overtaken).toBe(0);
  expect(client.counters.degraded).toEqual({});
}, 120_000);

it('after a cut connection all that follows keeps its order: marks, views, questions', async () => {
  const producer = await StreamProducer.connect(server.url);
  onTestFinished(() => producer.close());
  await service.stop();
  try {
    const client = await open();
    const session = 'follows';
    const sent: Promise<unknown>[] = [];
    await cutWhile(client, () => {
      sent.push(client.publish('mark-item-seen', session, '1'));
    });
    for (let i = 2; i <= 20; i += 1) {
      const payload = String(i);
      if (i % 3 === 0) sent.push(client.publish('pageview', session, payload));
      else if (i % 3 === 1) sent.push(client.publish('mark-item-seen', session, payload));
      else void client.request('mark-item-seen', session, payload, { deadlineMs: 5_000 });
    }
    expect(await Promise.all(sent)).toEqual(sent.map(() => true));
    await waitUntil('all are there', async () => (await producer.waiting(session)) >= 20);
    const entries = await producer.redis.command<[string, string[]][]>('XRANGE', producer.streamOf(session), '-', '+');
    const payloads = entries.map(([, fields]) => fields[fields.indexOf('p') + 1]);
    // The first may have been taken before the cut, and stands there twice then: it counts once.
    expect([...new Set(payloads)]).toEqual(Array.from({ length: 20 }, (_, i) => String(i + 1)));
  } finally {
    service = await startService({
      redis: server.url,
      secret: 'a secret of the tests, long enough',
      transport: 'streams',
    });
  }
});

it('a page waits for a mark that is sent again no longer than its deadline, and sends nothing before it', async () => {
  const admin = await StreamProducer.connect(server.url);
  onTestFinished(() => admin.close());
  const client = await open();
  const sent = (command: string): number =>
    proxy.commands('sessionwise-client').filter((args) => args.includes(command) && args.includes('held')).length;
  proxy.reset();
  // Redis refuses writes, and is well otherwise.
  await admin.redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
  const mark = client.publish('mark-item-seen', 'held', 'x').catch((error: Error) => error);
  try {
    await waitUntil('it is sent again', () => sent('mark-item-seen') > 1);
    const before = performance.now();
    expect(await client.request('surface', 'held', ['x'], { deadlineMs: 100 })).toBeUndefined();
    expect(performance.now() - before).toBeLessThan(2_000);
    expect(client.counters.degraded).toEqual({ disconnected: 1 });
    expect(sent('surface')).toBe(0);
  } finally {
    await admin.redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
  }
  expect(await mark).toBe(true);
  await waitUntil(
    'it is answered behind the mark',
    async () => (await client.request('surface', 'held', ['x', 'y'], { deadlineMs: 1_000 }))?.join() === 'y',
  );
});
