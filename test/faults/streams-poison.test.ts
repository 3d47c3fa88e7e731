import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PARTITIONS, partitionOf } from '../../src/redis/index.ts';
import { DeadLetters } from '../../src/transport/streams/dead-letters.ts';
import { PayloadSeal } from '../../src/transport/streams/payload-seal.ts';
import { addEntry } from '../../src/transport/streams/scripts/add-entry.ts';
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
  readLog,
  SECRET,
  sharesOf,
  startLogger,
  startPublishers,
  untilWorkedOff,
  watchStalls,
} from './streams-stage.ts';

/* Requests that fell the process which serves them, that fail, and that never end. */

const HAND_OVER_MS = 2_000;
/** A request that may have been in hand with the poison can have to wait for as many deaths as the poison causes: it is
 *  tried beside it until the poison is tried alone. */
const DEATHS = 4;

const server = useRedis();
const { redis } = server;
let letters: DeadLetters;

beforeEach(async () => {
  letters = new DeadLetters(redis, keys, new PayloadSeal(SECRET, 'sw'));
});
afterEach(async () => {
  await endChildren();
});

let added = 0;
function add(session: string, payload: string): Promise<unknown> {
  added += 1;
  const fields = ['c', 'log', 's', session, 'r', `_test-${added}`, 'p', payload];
  return addEntry.run(
    redis,
    { requests: keys.requests(partitionOf(session)) },
    { mostEntries: 100_000 },
    { args: fields },
  );
}

/** A session of the same partition as another. */
function neighbourOf(session: string): string {
  for (let i = 0; ; i += 1) if (partitionOf(`n${i}`) === partitionOf(session)) return `n${i}`;
}

async function linesOf(session: string): Promise<number> {
  return (await readLog(redis, session)).length;
}

async function triesLeft(): Promise<number> {
  const counts = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, partition) => redis.command<number>('HLEN', keys.tries(partition))),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

describe('a request that fells its process', { timeout: 120_000 }, () => {
  it('is given up after three counted tries; everything else is done once, in order, and soon', async () => {
    let crashes = 0;
    let running = true;
    const instances: Instance[] = [];
    const start = async (): Promise<void> => {
      const instance = await startLogger(server.url);
      instances.push(instance);
      void instance.exited.then(() => {
        if (!running) return;
        crashes += 1;
        // One that begins as the test ends is ended with it.
        return start().catch((error: unknown) => {
          if (running) throw error;
        });
      });
    };
    await Promise.all([start(), start(), start()]);
    const publishers = await startPublishers({ redis: server.url });
    await publishers.more(500);
    const stalledMs = watchStalls();
    await add('poison', 'abort');
    await add('poison', 'behind the poison');
    await waitUntil('the poison is given up', async () => (await letters.count()) > 0, 60_000);
    await publishers.more(500);
    const tallies = await publishers.stop();
    await untilWorkedOff(redis);
    running = false;
    const verdict = await judge(redis, tallies);
    const stallMs = stalledMs();
    console.log('Poison:', JSON.stringify({ crashes, ...figuresOf(verdict), stallMs }));
    expect(await letters.list(10)).toMatchObject([
      { session: 'poison', payload: 'abort', reason: '3 tries ended with the service' },
    ]);
    // The first one nobody counted: nothing was known against it.
    expect(crashes).toBe(DEATHS);
    expectExactlyOnce(verdict);
    expect(await linesOf('poison')).toBe(1);
    expect(await triesLeft()).toBe(0);
    expect(verdict.longestMs).toBeLessThan(allowed(DEATHS * HAND_OVER_MS) + stallMs);
  });
});

describe('a request that fails', { timeout: 60_000 }, () => {
  it('is given up after three tries, and the process lives', async () => {
    const instance = await startLogger(server.url);
    await add('bad', 'throw');
    await add('bad', '1 0');
    for (let i = 1; i <= 200; i += 1) await add(neighbourOf('bad'), `${i} 0`);
    await waitUntil('what stands behind it is done', async () => (await linesOf('bad')) === 1);
    await untilWorkedOff(redis);
    expect(await letters.list(10)).toMatchObject([{ session: 'bad', payload: 'throw', reason: expect.any(String) }]);
    expect(await linesOf(neighbourOf('bad'))).toBe(200);
    expect(await triesLeft()).toBe(0);
    expect(instance.isAlive).toBe(true);
  });
});

describe('a request that never ends', { timeout: 60_000 }, () => {
  it('delays only its session, also when its owner changes', async () => {
    let instance = await startLogger(server.url);
    const neighbour = neighbourOf('stuck');
    await add('stuck', 'hang');
    for (let i = 0; i < 20; i += 1) await add('stuck', `${i} 0`);
    const lines = (deaths: number): number[] => Array.from({ length: 200 * (deaths + 1) }, (_, i) => i + 1);
    const addNext = (deaths: number): Promise<unknown[]> =>
      Promise.all(
        lines(deaths)
          .slice(-200)
          .map((number) => add(neighbour, `${number} 0`)),
      );
    const untilDone = (deaths: number): Promise<void> =>
      waitUntil('the neighbour goes on', async () => (await linesOf(neighbour)) === lines(deaths).length, 5_000);
    await addNext(0);
    await untilDone(0);
    for (let deaths = 1; deaths <= 2; deaths += 1) {
      await instance.kill('SIGKILL');
      await addNext(deaths);
      // Then the next owner suspects what was under way as well.
      await waitUntil('the dead one owns nothing any more', async () => (await sharesOf(redis)).size === 0);
      instance = await startLogger(server.url);
      await untilDone(deaths);
    }
    // Unless this took so long that it was given up.
    expect((await linesOf('stuck')) === 0 || (await letters.count()) === 1).toBe(true);
    expect((await readLog(redis, neighbour)).map(({ number }) => number)).toEqual(lines(2));
  });
});
