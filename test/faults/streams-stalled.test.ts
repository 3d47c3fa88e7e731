import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { partitionOf } from '../../src/redis/index.ts';
import { addEntry } from '../../src/transport/streams/scripts/add-entry.ts';
import { LEASE_MS } from '../../src/transport/streams/stream-receiver.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { endChildren } from './child.ts';
import {
  expectExactlyOnce,
  figuresOf,
  judge,
  keys,
  mainOwner,
  readLog,
  startLogger,
  startPublishers,
  untilWorkedOff,
} from './streams-stage.ts';

/* An owner that stands still for longer than its lease, and goes on as if nothing had been. */

/** The lease is gone, and another instance has had as long again for what it left. */
const STALL_MS = 2 * LEASE_MS;
const SESSIONS = 100;
/** Another session in the partition of the first of them. */
const BEHIND = Array.from({ length: 10_000 }, (_, i) => `behind-${i}`).find(
  (session) => partitionOf(session) === partitionOf('late-0'),
)!;

const server = useRedis();
const { redis } = server;
let added = 0;

afterEach(async () => {
  await endChildren();
});

function add(session: string, payload: string): Promise<unknown> {
  added += 1;
  const fields = ['c', 'log', 's', session, 'r', `_late-${added}`, 'p', payload];
  return addEntry.run(
    redis,
    { requests: keys.requests(partitionOf(session)) },
    { mostEntries: 10_000 },
    { args: fields },
  );
}

/** Adds requests that take a while, and waits until an owner has them in hand: until it has done what stands behind them. */
async function addLate(round: number): Promise<void> {
  await Promise.all(Array.from({ length: SESSIONS }, (_, i) => add(`late-${i}`, `late ${round}`)));
  await add(BEHIND, `${round} 0`);
  await waitUntil('they are in hand', async () => (await readLog(redis, BEHIND)).length === round + 1);
}

describe('an owner of partitions that stands still', { timeout: 90_000 }, () => {
  it('does nothing twice when it goes on', async () => {
    const instances = await Promise.all([startLogger(server.url), startLogger(server.url)]);
    const publishers = await startPublishers({ redis: server.url });
    await publishers.more(300);
    for (let round = 0; round < 2; round += 1) {
      const owner = await mainOwner(redis, instances);
      await addLate(round);
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
      const log = await redis.command<string[]>('LRANGE', `${keys.subject(`late-${i}`)}-log`, '0', '-1');
      expect(log.map((line) => line.split(' ').slice(0, 2))).toEqual([
        ['late', '0'],
        ['late', '1'],
      ]);
    }
  });
});
