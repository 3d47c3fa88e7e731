import { afterEach, describe, expect, it } from 'vitest';
import type { RedisConnection } from '../../src/redis/index.ts';
import { partitionOf } from '../../src/redis/index.ts';
import { addEntry } from '../../src/transport/streams/scripts/add-entry.ts';
import { startTestRedis, type TestRedis } from '../support/test-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { endChildren } from './child.ts';
import {
  connect,
  expectExactlyOnce,
  figuresOf,
  judge,
  keys,
  readLog,
  startLogger,
  startPublishers,
  untilWorkedOff,
  type Verdict,
} from './streams-stage.ts';

/* Redis ends and comes back under load, with its append-only file. What it answered and did not keep is lost, and that
 * depends on `appendfsync` alone; what it kept is done once. */

const RESTARTS = 2;
/** What `everysec` may lose: the flush of a second, and one that is late by a second (redis.conf, appendfsync). */
const EVERYSEC_MS = 2_000;

let server: TestRedis;
let redis: RedisConnection | undefined;

afterEach(async () => {
  await endChildren();
  await redis?.close();
  redis = undefined;
  await server?.stop();
});

/** What came of the load, and when Redis was ended. */
async function restartUnderLoad(signal: 'SIGTERM' | 'SIGKILL'): Promise<Verdict & { readonly endedAt: number[] }> {
  await Promise.all([startLogger(server.url), startLogger(server.url)]);
  const publishers = await startPublishers({ redis: server.url });
  const endedAt: number[] = [];
  for (let restart = 0; restart < RESTARTS; restart += 1) {
    await publishers.more(1_000);
    endedAt.push(Date.now());
    server.kill(signal);
    await server.restart();
    await publishers.more(300);
  }
  const tallies = await publishers.stop();
  redis = await connect(server.url);
  await untilWorkedOff(redis);
  const verdict = await judge(redis, tallies);
  expect(tallies.filter(({ isKept }) => isKept).flatMap(({ unknown }) => unknown)).toEqual([]);
  console.log(`Redis ended with ${signal}:`, JSON.stringify(figuresOf(verdict)));
  return { ...verdict, endedAt };
}

describe('streams and a Redis that comes back', { timeout: 120_000 }, () => {
  it('lose nothing where it was told to stop, even with everysec', async () => {
    server = await startTestRedis({ persistence: true, extraArgs: ['--appendfsync', 'everysec'] });
    expectExactlyOnce(await restartUnderLoad('SIGTERM'));
  });

  it('lose nothing where it was killed, with always', async () => {
    server = await startTestRedis({ persistence: true });
    expectExactlyOnce(await restartUnderLoad('SIGKILL'));
  });

  it('lose with everysec at most what was answered within two seconds before it was killed', async () => {
    server = await startTestRedis({ persistence: true, extraArgs: ['--appendfsync', 'everysec'] });
    const { lost, endedAt, ...verdict } = await restartUnderLoad('SIGKILL');
    const older = lost.filter(({ at }) => !endedAt.some((end) => at > end - EVERYSEC_MS && at <= end + 1));
    expect(older).toEqual([]);
    expectExactlyOnce({ ...verdict, lost: [] });
  });

  it('do again what a Redis that lost its last second has not done, at once and once', async () => {
    // No append-only file: what comes back is the snapshot.
    server = await startTestRedis();
    const admin = await connect(server.url);
    const instance = await startLogger(server.url);
    const add = (connection: RedisConnection, number: number): Promise<unknown> => {
      const fields = ['c', 'log', 's', 'abc', 'r', `_test-${number}`, 'p', `${number} ${Date.now()}`];
      return addEntry.run(
        connection,
        { requests: keys.requests(partitionOf('abc')) },
        { mostEntries: 100 },
        { args: fields },
      );
    };
    const numbers = async (connection: RedisConnection): Promise<number[]> =>
      (await readLog(connection, 'abc')).map(({ number }) => number);
    await add(admin, 1);
    await waitUntil('the first is done', async () => (await numbers(admin)).length === 1);
    await instance.kill('SIGSTOP');
    await add(admin, 2);
    await admin.command('SAVE');
    await instance.kill('SIGCONT');
    await waitUntil('the second is done', async () => (await numbers(admin)).length === 2);
    server.kill('SIGKILL');
    await server.restart();
    await admin.close();
    redis = await connect(server.url);
    expect(await numbers(redis)).toEqual([1]);
    await waitUntil('the second is done again', async () => (await numbers(redis!)).length === 2, 3_000);
    await add(redis, 3);
    await waitUntil('the third is done', async () => (await numbers(redis!)).length === 3);
    // What is done in order is done by then; so is what would be done again.
    await add(redis, 4);
    await waitUntil('the fourth is done', async () => (await numbers(redis!)).includes(4));
    expect(await numbers(redis)).toEqual([1, 2, 3, 4]);
  });
});
