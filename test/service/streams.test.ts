import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { metricOf } from '../support/metric-of.ts';
import { StreamProducer } from '../support/stream-producer.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const SECRET = 'a secret of the tests, long enough';

const server = useRedis({ eachTest: 'kept' });
let service: Service;
let client: SessionClient;

beforeAll(async () => {
  service = await startService({ redis: server.url, secret: SECRET, transport: 'streams' });
  client = new SessionClient({ redis: server.url, transport: 'streams', secret: SECRET, deadlineMs: 2_000 });
  expect(await client.ready()).toBe(true);
});
afterAll(async () => {
  await client?.close();
  await service?.stop();
});

describe('requests over streams', () => {
  it('are answered as over channels', async () => {
    expect(await client.request('pageview', 'abc', '/a')).toMatchObject({ totalPages: 1, uniquePages: 1 });
    expect(await client.request('pageview', 'abc', '/a')).toMatchObject({ totalPages: 2, previouslyVisited: true });
    expect(await client.request('surface', 'abc', ['/a', '/b'])).toEqual(['/b']);
    expect(await client.publish('mark-item-seen', 'abc', ['x'])).toBe(true);
    expect(await client.request('surface', 'abc', ['x', 'y'])).toEqual(['y']);
    expect(client.counters.degraded).toEqual({});
  });

  it('that cannot be served are tried once, whatever their payload says', async () => {
    const producer = await StreamProducer.connect(server.url);
    const failures = (): Promise<number> => metricOf(service.metrics.errors, { command: 'surface' });
    for (const [i, word] of ['nothing', 'BUSY', 'OOM ', 'LOADING Redis'].entries()) {
      await producer.ask('surface', `words-${i}`, '_1', JSON.stringify({ word }));
      await waitUntil('it is done', async () => (await producer.waiting(`words-${i}`)) === 0);
      expect({ word, failures: await failures() }).toEqual({ word, failures: i + 1 });
    }
    await producer.close();
  });
});
