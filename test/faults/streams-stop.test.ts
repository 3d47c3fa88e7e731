import { afterEach, describe, expect, it } from 'vitest';
import { PARTITIONS } from '../../src/redis/index.ts';
import { ownersOf } from '../../src/transport/streams/partition-balance.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { endChildren } from './child.ts';
import {
  allowed,
  expectExactlyOnce,
  figuresOf,
  type Instance,
  judge,
  keys,
  mainOwner,
  sharesOf,
  startLogger,
  startPublishers,
  untilWorkedOff,
  watchStalls,
} from './streams-stage.ts';

/* Instances that come and go as they should, under load. One that stops gives its partitions back: nobody waits for a
 * lease to end. */

/** Well below a lease and the time that a free partition waits for its owner, though this machine may be busy. */
const HAND_OVER_MS = 1_000;
/** An instance that comes is busy with itself at first. */
const JOIN_MS = 2_000;

const server = useRedis();
const { redis } = server;

afterEach(async () => {
  await endChildren();
});

/** Whether each partition is with the one who should own it. */
async function isBalanced(instances: readonly Instance[]): Promise<boolean> {
  const ids = instances.map(({ ready }) => ready.instance);
  const owners = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, partition) => redis.command<string | null>('GET', keys.owner(partition))),
  );
  const shares = ownersOf(ids);
  return owners.every((token, partition) => token?.split(':')[0] === shares[partition]);
}

async function untilBalanced(instances: readonly Instance[]): Promise<void> {
  await waitUntil('each instance has its share', () => isBalanced(instances), 20_000);
}

async function underLoad(name: string, mostMs: number, act: () => Promise<void>): Promise<void> {
  const publishers = await startPublishers({ redis: server.url });
  await publishers.more(300);
  const stalledMs = watchStalls();
  await act();
  await publishers.more(300);
  const tallies = await publishers.stop();
  await untilWorkedOff(redis);
  const verdict = await judge(redis, tallies);
  const stallMs = stalledMs();
  console.log(`${name}:`, JSON.stringify({ ...figuresOf(verdict), stallMs }));
  expectExactlyOnce(verdict);
  expect(verdict.unknown).toBe(0);
  expect(verdict.longestMs).toBeLessThan(allowed(mostMs) + stallMs);
}

describe('instances that come and go under load', { timeout: 90_000 }, () => {
  it('hand over quickly when they are told to stop, with exit code 0', async () => {
    const start = (): Promise<Instance> => startLogger(server.url);
    const instances = await Promise.all([start(), start(), start()]);
    await untilBalanced(instances);
    await underLoad('Instances stopped', HAND_OVER_MS, async () => {
      let left: Instance[] = instances;
      while (left.length > 1) {
        const leaving = await mainOwner(redis, left);
        await leaving.kill('SIGTERM');
        expect(await leaving.exited).toBe(0);
        left = left.filter((one) => one !== leaving);
        await untilBalanced(left);
      }
    });
  });

  it('take their share when they come, and no more', async () => {
    const instances = [await startLogger(server.url)];
    await untilBalanced(instances);
    await underLoad('Instances joined', JOIN_MS, async () => {
      for (let more = 0; more < 2; more += 1) {
        instances.push(await startLogger(server.url));
        await untilBalanced(instances);
      }
    });
  });

  it('change places: the new version is started, then the old one is stopped', async () => {
    const old = await startLogger(server.url);
    await untilBalanced([old]);
    await underLoad('Hot restart', JOIN_MS, async () => {
      const heir = await startLogger(server.url);
      await waitUntil('the new one has its share', async () => (await sharesOf(redis)).has(heir.ready.instance));
      await old.kill('SIGTERM');
      expect(await old.exited).toBe(0);
      await untilBalanced([heir]);
    });
  });
});
