import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { PARTITIONS } from '../../src/redis/index.ts';
import { DONE_CAP } from '../../src/transport/streams/scripts/renew-partition.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { endChildren, startChild } from './child.ts';
import { keys, SECRET, soakSeconds, startLogger, untilWorkedOff } from './streams-stage.ts';

/* Requests with deadlines, replies that come too late and connections that are cut: heap, connections and keys are
 * afterwards where they were. 25,000 requests a transport; with SESSIONWISE_SOAK_SECONDS a million in all. */

const REQUESTS = soakSeconds(0) > 0 ? 500_000 : 25_000;
const CUT_INTERVAL_MS = 2_000;
/** What a heap differs by from one look to the next, without a leak: measured 0.1 to 0.6 MB. A leak of 100 bytes a
 *  request is 2.2 MB. */
const HEAP_NOISE_BYTES = 1_500_000;

const server = useRedis();
const { redis } = server;

afterEach(async () => {
  await endChildren();
});

interface Told {
  readonly early?: number;
  readonly late?: number;
  readonly outcomes?: Record<string, number>;
  readonly lateReplies?: number;
}

async function connections(): Promise<number> {
  return (await redis.command<string>('CLIENT', 'LIST')).trim().split('\n').length;
}

async function sumOf(command: string, keyOf: (partition: number) => string): Promise<number> {
  const counts = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, partition) => redis.command<number>(command, keyOf(partition))),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

describe.each(['channels', 'streams'] as const)('requests over %s', (way) => {
  it('leave nothing behind in Redis and in the process', { timeout: 60_000 + REQUESTS * 4 }, async () => {
    await startLogger(server.url, 'both');
    const args = [server.url, SECRET, way, String(REQUESTS)];
    const client = await startChild<object>('leak-client.js', args, {}, ['--expose-gc']);
    const told: Told = {};
    client.process.on('message', (message) => Object.assign(told, message));
    await waitUntil('a tenth is done', () => told.early !== undefined, 60_000 + REQUESTS);
    const keysBefore = await redis.command<number>('DBSIZE');
    const connectionsBefore = await connections();
    let cuts = 0;
    while (told.late === undefined && client.isAlive) {
      await sleep(CUT_INTERVAL_MS);
      // All but this one, of the service and of the client.
      for (const type of cuts % 2 === 0 ? ['normal'] : ['normal', 'pubsub']) {
        await redis.command('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
      }
      cuts += 1;
    }
    expect(client.isAlive).toBe(true);
    await waitUntil('all connections are back', async () => (await connections()) >= connectionsBefore);
    await untilWorkedOff(redis);
    const figures = {
      way,
      requests: REQUESTS,
      cuts,
      outcomes: told.outcomes,
      lateReplies: told.lateReplies,
      heapGrownBytes: told.late! - told.early!,
      connections: [connectionsBefore, await connections()],
      keys: [keysBefore, await redis.command<number>('DBSIZE')],
      waiting: await sumOf('XLEN', (partition) => keys.requests(partition)),
      tries: await sumOf('HLEN', (partition) => keys.tries(partition)),
      done: await sumOf('ZCARD', (partition) => keys.done(partition)),
    };
    console.log('No leak:', JSON.stringify(figures));
    expect(cuts).toBeGreaterThan(0);
    // Over streams nobody answers what nobody waits for.
    if (way === 'channels') expect(told.lateReplies).toBeGreaterThan(0);
    expect(told.outcomes!.deadline).toBeGreaterThan(0);
    expect(told.outcomes!.answered).toBeGreaterThan(REQUESTS * 0.8);
    expect(figures.heapGrownBytes).toBeLessThan(HEAP_NOISE_BYTES);
    expect(figures.connections[1]).toBe(figures.connections[0]);
    // Leases come and go.
    expect(figures.keys[1]).toBeLessThanOrEqual(figures.keys[0]! + PARTITIONS);
    expect(figures.waiting).toBe(0);
    expect(figures.tries).toBe(0);
    expect(figures.done).toBeLessThanOrEqual(DONE_CAP * PARTITIONS);
    if (REQUESTS > 25_000) {
      await waitUntil(
        'done requests are forgotten',
        async () => (await sumOf('ZCARD', (partition) => keys.done(partition))) === 0,
        90_000,
      );
    }
  });
});
