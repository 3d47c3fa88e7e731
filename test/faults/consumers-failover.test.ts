import { describe, expect, it, onTestFinished } from 'vitest';
import { createConnection } from '../../src/redis/index.ts';
import { keys, openStore, sessionsOf, write } from '../consumers/consumer-stage.ts';
import { startTestSentinel } from '../support/test-sentinel.ts';
import { useCluster } from '../support/use-cluster.ts';
import { waitUntil } from '../support/wait-until.ts';

/* A loop over events follows its stream to another master, and goes on by itself. */

describe('a loop over events, through a failover', () => {
  const cluster = useCluster({ replicas: 1, eachTest: 'new' });

  it('of a Cluster goes on with the new master', async () => {
    await goOn(openStore(cluster.url), cluster.redis, async () => {
      await cluster.failover(await cluster.masterOf(keys.lifecycle()));
    });
  }, 90_000);
});

it('a loop over events, with Sentinels, goes on with the new master', async () => {
  const sentinel = await startTestSentinel();
  onTestFinished(() => sentinel.stop());
  const redis = await createConnection(sentinel.url, 'test').connect(20_000);
  onTestFinished(() => redis.close());
  await goOn(openStore(sentinel.url), redis, async () => {
    await sentinel.killMaster();
    await waitUntil('there is another master', () => redis.isReady, 30_000);
  });
}, 120_000);

async function goOn(
  store: ReturnType<typeof openStore>,
  redis: Parameters<typeof write>[0],
  failOver: () => Promise<void>,
): Promise<void> {
  const told: string[] = [];
  const ended = new AbortController();
  const done = (async () => {
    for await (const event of store.lifecycle({ group: 'mail', from: 'start', signal: ended.signal })) {
      told.push(...sessionsOf([event]));
    }
  })();
  await write(redis, 'a', 'b');
  await waitUntil('they are told', () => told.length === 2, 20_000);
  await failOver();
  await waitUntil(
    'it is written',
    () =>
      write(redis, 'c').then(
        () => true,
        () => false,
      ),
    30_000,
  );
  await waitUntil('the new one is told', () => told.includes('c'), 30_000);
  ended.abort();
  await done;
  expect(told.filter((name) => name === 'a' || name === 'b').sort()).toEqual(['a', 'b']);
}
