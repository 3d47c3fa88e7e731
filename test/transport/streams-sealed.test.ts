import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Degraded, SessionClient } from '../../src/index.ts';
import { startService } from '../../src/service/index.ts';
import { metricOf } from '../support/metric-of.ts';
import { StreamProducer } from '../support/stream-producer.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* What a serving layer seals is read by the service alone. */

const SECRET = 'a secret of the tests, long enough';
const PAGE = '/what-nobody-else-may-read';

const server = useRedis({ persistence: true, eachTest: 'kept' });
let producer: StreamProducer;
beforeAll(async () => {
  producer = await StreamProducer.connect(server.url);
});
afterAll(async () => {
  await producer?.close();
});

/** All that Redis holds and has written: streams, dead letters, the append-only file and a snapshot. */
async function everything(): Promise<string> {
  await producer.redis.command('CONFIG', 'SET', 'rdbcompression', 'no');
  await producer.redis.command('SAVE');
  const folder = join(server.dataDir, 'redis');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(aof|rdb)$/.test(name));
  expect(names.length).toBeGreaterThanOrEqual(2);
  return names.map((name) => readFileSync(join(folder, name), 'latin1')).join('\n');
}

async function openClient(secret?: string): Promise<SessionClient> {
  const client = new SessionClient({
    redis: server.url,
    transport: 'streams',
    deadlineMs: 10_000,
    ...(secret !== undefined && { secret }),
  });
  onTestFinished(() => client.close());
  expect(await client.ready()).toBe(true);
  return client;
}

describe('a sealed payload in a stream', () => {
  it('stands nowhere in the clear, before it is served and after, and in no dead letter', async () => {
    const client = await openClient(SECRET);
    const stranger = await openClient('another secret, also long enough');
    expect(await client.publish('pageview', 'abc', PAGE)).toBe(true);
    expect(await client.publish('mark-item-seen', 'abc', `${PAGE}/item`)).toBe(true);
    expect(await stranger.publish('pageview', 'abc', `${PAGE}/stranger`)).toBe(true);
    expect(await producer.waiting('abc')).toBe(3);
    expect(await everything()).not.toContain(PAGE);

    const service = await startService({ redis: server.url, secret: SECRET, transport: 'streams' });
    onTestFinished(() => service.stop());
    expect(await client.request('pageview', 'abc', PAGE)).toMatchObject({ totalPages: 2, previouslyVisited: true });
    expect(await client.request('surface', 'abc', [PAGE, `${PAGE}/item`, `${PAGE}/stranger`])).toEqual([
      `${PAGE}/stranger`,
    ]);
    expect(await producer.waiting('abc')).toBe(0);
    const [letter, ...others] = await producer.deadLetters('abc');
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ c: 'pageview', s: 'abc', reason: expect.stringContaining('secret') });
    expect(letter!.e).toBeDefined();
    expect(letter!.p).toBeUndefined();
    const found = await everything();
    expect(found).not.toContain(PAGE);
    // It was looked for where such a thing would be found.
    expect(found).toContain('mark-item-seen');
    const open = await openClient();
    expect(await open.publish('pageview', 'abc', `${PAGE}/open`)).toBe(true);
    await waitUntil('it is served', async () => (await producer.waiting('abc')) === 0);
    expect(await everything()).toContain(`${PAGE}/open`);
  });

  it('of another secret is answered with wrong-key', async () => {
    const service = await startService({ redis: server.url, secret: SECRET, transport: 'streams' });
    onTestFinished(() => service.stop());
    const stranger = await openClient('another secret, also long enough');
    const degraded: Degraded[] = [];
    stranger.on('degraded', (event) => degraded.push(event));
    expect(await stranger.request('pageview', 'xyz', PAGE)).toBeUndefined();
    expect(degraded).toMatchObject([{ command: 'pageview', session: 'xyz', reason: 'wrong-key' }]);
    expect(await metricOf(service.metrics.streamRequests, { outcome: 'dead-letter' })).toBe(1);
  });

  it('cannot be moved to another request', async () => {
    const client = await openClient(SECRET);
    await client.publish('mark-item-seen', 'mover', 'x');
    const [[, fields]] = (await producer.redis.command('XRANGE', producer.streamOf('mover'), '-', '+')) as [
      [string, string[]],
    ];
    const at = (name: string): string => fields[fields.indexOf(name) + 1]!;
    expect(producer.streamOf('mover')).not.toBe(producer.streamOf('thief'));
    await producer.add('thief', 'c', 'mark-item-seen', 's', 'thief', 'r', at('r'), 'e', at('e'));
    const service = await startService({ redis: server.url, secret: SECRET, transport: 'streams' });
    onTestFinished(() => service.stop());
    expect(await client.request('surface', 'mover', ['x'])).toEqual([]);
    await waitUntil('it is buried', async () => (await producer.deadLetters('thief')).length === 1);
    expect(await client.request('surface', 'thief', ['x'])).toEqual(['x']);
  });
});
