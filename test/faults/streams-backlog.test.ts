import { afterEach, describe, expect, it } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { partitionOf } from '../../src/redis/index.ts';
import { STREAMS_ON_ONE_SERVER, streamOf } from '../../src/transport/streams/stream-of.ts';
import { useRedis } from '../support/use-redis.ts';
import { pace } from '../support/wait-until.ts';
import { endChildren } from './child.ts';
import {
  backlogOf,
  expectExactlyOnce,
  figuresOf,
  judge,
  keys,
  readLog,
  SECRET,
  soakSeconds,
  startLogger,
  startPublishers,
  untilWorkedOff,
} from './streams-stage.ts';

/* A service that is away, for as long as SESSIONWISE_SOAK_SECONDS says (5 unless told). */

const SECONDS = soakSeconds(5);
const MAX_BACKLOG = 3_200;
/** What publishers must be told for it: `log` is not one of those that change something, which have all the room. */
const QUARTER_OF = 4 * MAX_BACKLOG;
/** An entry takes about 250 bytes; the connections of 16 publishers as much as all entries together. */
const MAX_ENTRY_BYTES = 1_024;
/** What a second client allows in a stream. */
const PER_STREAM = 4;

const server = useRedis();
const { redis } = server;

afterEach(async () => {
  await endChildren();
});

async function usedMemory(): Promise<number> {
  const info = await redis.command<string>('INFO', 'memory');
  return Number(/^used_memory:(\d+)/m.exec(info)![1]);
}

describe('a service that is away', { timeout: SECONDS * 1000 + 90_000 }, () => {
  it('finds all that was accepted; Redis holds no more than the backlog meanwhile', async () => {
    const before = await usedMemory();
    const publishers = await startPublishers({ redis: server.url, pauseMs: 100, maxBacklog: QUARTER_OF });
    const memory: number[] = [];
    const backlogs: number[] = [];
    for (const end = performance.now() + SECONDS * 1000; performance.now() < end; ) {
      await pace();
      memory.push(await usedMemory());
      backlogs.push(await backlogOf(redis));
    }

    // A client of a serving layer meanwhile: it too is refused where a stream is full, and says so.
    const client = new SessionClient({
      redis: server.url,
      transport: 'streams',
      secret: SECRET,
      maxBacklog: PER_STREAM * STREAMS_ON_ONE_SERVER,
    });
    expect(await client.ready()).toBe(true);
    const lengths = await Promise.all(
      Array.from({ length: 100 }, (_, i) => redis.command<number>('XLEN', keys.requests(streamOf(`s${i}`, redis)))),
    );
    const session = `s${lengths.findIndex((length) => length >= PER_STREAM)}`;
    expect(await client.publish('pageview', session, '/a')).toBe(false);
    await expect(client.publish('mark-item-seen', session, 'x')).rejects.toMatchObject({ code: 'BACKLOG_FULL' });
    expect(client.counters).toMatchObject({ publishes: 2, unheard: 2 });
    await client.close();

    const startedAt = performance.now();
    await startLogger(server.url);
    await publishers.more(500);
    const tallies = await publishers.stop();
    await untilWorkedOff(redis);
    const verdict = await judge(redis, tallies);
    const figures = {
      ...figuresOf(verdict),
      fullest: Math.max(...backlogs),
      grownBytes: Math.max(...memory) - before,
      workedOffMs: Math.round(performance.now() - startedAt),
    };
    console.log('Service away:', JSON.stringify(figures));
    expectExactlyOnce(verdict);
    expect(verdict.refused).toBeGreaterThan(0);
    expect(figures.fullest).toBeLessThanOrEqual(MAX_BACKLOG);
    expect(figures.fullest).toBeGreaterThan(MAX_BACKLOG / 2);
    expect(figures.grownBytes).toBeLessThan(MAX_BACKLOG * MAX_ENTRY_BYTES);
    expect(await redis.command('XLEN', keys.deadLetters(0))).toBe(0);
  });

  it('finds a request that was sent again, minutes ago, and counts it once', async () => {
    const longAgo = Date.now() - 300_000;
    const add = (at: number, request: string, payload: string): Promise<unknown> =>
      redis.command(
        ...['XADD', keys.requests(partitionOf('abc')), `${longAgo + at}-0`],
        ...['c', 'log', 's', 'abc', 'r', request, 'p', payload],
      );
    await add(0, '_kept-1', '1 0');
    // The owner looks after its notes five times a second.
    for (let i = 1; i <= 5; i += 1) await add(i, `_late-${i}`, `late ${i}`);
    await add(1_000, '_kept-1', '1 0');
    await startLogger(server.url);
    await untilWorkedOff(redis);
    expect((await readLog(redis, 'abc')).filter(({ number }) => number === 1)).toHaveLength(1);
    expect(await redis.command('LLEN', `${keys.subject('abc')}-log`)).toBe(6);
  });
});
