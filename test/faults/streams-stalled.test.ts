import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { partitionOf } from '../../src/redis/index.ts';
import { addEntry } from '../../src/transport/streams/stream-scripts.ts';
import { useRedis } from '../support/use-redis.ts';
import { endChildren } from './child.ts';
import {
  expectExactlyOnce,
  figuresOf,
  judge,
  keys,
  mainOwner,
  startLogger,
  startPublishers,
  untilWorkedOff,
} from './streams-stage.ts';

/* An owner that stands still for longer than its lease, and goes on as if nothing had been. */

const STALL_MS = 3_000;
const SESSIONS = 100;

const server = useRedis();
const { redis } = server;

afterEach(async () => {
  await endChildren();
});

/** Requests that take a while; what was written down for them. */
async function addLate(round: number): Promise<void> {
  await Promise.all(
    Array.from({ length: SESSIONS }, (_, i) => {
      const fields = ['c', 'log', 's', `late-${i}`, 'r', `_late-${round}-${i}`, 'p', `late ${round}`];
      return addEntry.run(redis, [keys.requests(partitionOf(`late-${i}`))], [10_000, ...fields]);
    }),
  );
}

describe('an owner that stands still', { timeout: 90_000 }, () => {
  it('does nothing twice when it goes on', async () => {
    const instances = await Promise.all([startLogger(server.url), startLogger(server.url)]);
    const publishers = await startPublishers({ redis: server.url });
    await publishers.more(300);
    for (let round = 0; round < 2; round += 1) {
      const owner = await mainOwner(redis, instances);
      await addLate(round);
      // It has them in hand by now, and has not done them.
      await sleep(20);
      await owner.kill('SIGSTOP');
      await sleep(STALL_MS);
      await owner.kill('SIGCONT');
      await publishers.more(300);
    }
    const tallies = await publishers.stop();
    await untilWorkedOff(redis);
    const verdict = await judge(redis, tallies);
    console.log('Owners stalled:', JSON.stringify(figuresOf(verdict)));
    expectExactlyOnce(verdict);
    expect(verdict.unknown).toBe(0);
    for (let i = 0; i < SESSIONS; i += 1) {
      const log = await redis.command<string[]>('LRANGE', `${keys.facts(`late-${i}`)}-log`, '0', '-1');
      expect(log.map((line) => line.split(' ').slice(0, 2))).toEqual([
        ['late', '0'],
        ['late', '1'],
      ]);
    }
  });
});
