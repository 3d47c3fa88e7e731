import { expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { Keys } from '../../src/redis/index.ts';
import { startService } from '../../src/service/index.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const SECRET = 'a secret of the tests, long enough';
const PARTITION = 3;
const keys = new Keys('sw');

const server = useRedis();
const { redis } = server;

it.each([
  ['the lease', keys.owner(PARTITION)],
  ['the stream', keys.requests(PARTITION)],
  ['the tries', keys.tries(PARTITION)],
])('a partition whose key of %s has another type is logged, and the probe says so until it is gone', async (_, key) => {
  // Of another type than each of them has.
  await redis.command('RPUSH', key, 'foreign');
  const log = new RecordingLog();
  const options = { redis: server.url, secret: SECRET, transport: 'streams', log } as const;
  const service = await startService({ ...options, http: { host: '127.0.0.1', port: 0 } });
  onTestFinished(() => service.stop());
  const probe = async (): Promise<[number, string]> => {
    const response = await fetch(`http://127.0.0.1:${service.http!.port}/readyz`);
    return [response.status, await response.text()];
  };
  await waitUntil('the probe says so', async () => (await probe())[0] === 503);
  expect((await probe())[1]).toMatch(/^Partition 3 of the streams cannot be worked off \(.*WRONGTYPE.*\)\.\n$/s);
  expect(log.with('A partition cannot be worked off')).toEqual([
    { partition: PARTITION, reason: expect.stringContaining('WRONGTYPE') },
  ]);
  // The other partitions go on.
  const client = new SessionClient({ redis: server.url, transport: 'streams', deadlineMs: 10_000 });
  onTestFinished(() => client.close());
  expect(await client.ready()).toBe(true);
  expect(await client.request('pageview', 'abc', '/a')).toMatchObject({ totalPages: 1 });
  await redis.command('DEL', key);
  await waitUntil('the probe is well', async () => (await probe())[0] === 200);
});
