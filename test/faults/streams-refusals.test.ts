import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeFreedPartitions, encodeHeartbeat, heartbeatChannel } from '../../src/protocol/index.ts';
import { PARTITIONS, partitionOf, type RedisConnection } from '../../src/redis/index.ts';
import { MAX_TRIES } from '../../src/transport/streams/entry-tries.ts';
import { LEASE_MS } from '../../src/transport/streams/stream-receiver.ts';
import { useRedis } from '../support/use-redis.ts';
import { pace, waitUntil } from '../support/wait-until.ts';
import { endChildren } from './child.ts';
import {
  allowed,
  backlogOf,
  connect,
  expectExactlyOnce,
  figuresOf,
  judge,
  keys,
  type Publishers,
  soakSeconds,
  startLogger,
  startPublishers,
  untilWorkedOff,
  waitingOf,
  watchStalls,
} from './streams-stage.ts';

/* A Redis that lives and refuses, or stands still: nothing of it is a request's fault. */

const isSoak = soakSeconds(0) > 0;
/** Longer than a lease: what cannot be renewed meanwhile is lost. */
const REFUSAL_MS = (isSoak ? 6 : 1.5) * LEASE_MS;
/** A server that stands still for so long has let all leases run out. */
const STILL_MS = 1.3 * LEASE_MS;
const BACK_MS = 3_000;

/** Who owns which partition. */
function ownersIn(redis: RedisConnection): Promise<(string | null)[]> {
  return Promise.all(Array.from({ length: PARTITIONS }, (_, i) => redis.command<string | null>('GET', keys.owner(i))));
}

async function deadLettersIn(redis: RedisConnection): Promise<number> {
  const counts = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, partition) => redis.command<number>('XLEN', keys.deadLetters(partition))),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

describe('streams over a Redis that refuses under load', { timeout: 120_000 }, () => {
  // A connection that a slow script keeps waiting must be able to end it. One load for all: each test judges the sessions
  // of its own.
  const server = useRedis({ extraArgs: ['--lua-time-limit', '50'], eachTest: 'kept' });
  const { redis } = server;
  let publishers: Publishers;
  const config = (name: string, value: string): Promise<unknown> => redis.command('CONFIG', 'SET', name, value);

  beforeAll(async () => {
    await Promise.all([startLogger(server.url), startLogger(server.url)]);
    publishers = await startPublishers({ redis: server.url });
  });
  afterAll(endChildren);

  /** Has it refuse, and looks that nothing came of it. */
  async function underLoad(
    name: string,
    refuse: () => Promise<unknown>,
    accept: () => Promise<unknown>,
  ): Promise<void> {
    await publishers.more(300);
    const stalledMs = watchStalls();
    try {
      await refuse();
      await sleep(REFUSAL_MS);
    } finally {
      await accept();
    }
    const wellAt = performance.now();
    await publishers.more(200, 20_000);
    const backMs = Math.round(performance.now() - wellAt);
    const tallies = await publishers.report();
    const sessions = new Set(tallies.map(({ session }) => session));
    await waitUntil('they are worked off', async () => (await waitingOf(redis, sessions)) === 0, 30_000);
    const verdict = await judge(redis, tallies);
    const given = await deadLettersIn(redis);
    const stallMs = stalledMs();
    console.log(`${name}:`, JSON.stringify({ ...figuresOf(verdict), givenUp: given, backMs, stallMs }));
    expectExactlyOnce(verdict);
    expect(given).toBe(0);
    expect(backMs).toBeLessThan(allowed(BACK_MS) + stallMs);
  }

  it('MISCONF: its snapshot failed', async () => {
    const { dir } = await redis.command<Record<string, string>>('CONFIG', 'GET', 'dir');
    const { dbfilename } = await redis.command<Record<string, string>>('CONFIG', 'GET', 'dbfilename');
    // A snapshot cannot take the place of a folder.
    const inTheWay = join(dir!, dbfilename!);
    await underLoad(
      'MISCONF',
      async () => {
        await rm(inTheWay, { force: true });
        await mkdir(join(inTheWay, 'folder'), { recursive: true });
        await config('save', '3600 1');
        await redis.command('BGSAVE');
        await waitUntil('it refuses', () =>
          redis.command('SET', 'x', '1').then(
            () => false,
            () => true,
          ),
        );
      },
      async () => {
        await rm(inTheWay, { recursive: true });
        await redis.command('BGSAVE');
        await waitUntil('it takes writes', () =>
          redis.command('SET', 'x', '1').then(
            () => true,
            () => false,
          ),
        );
      },
    );
  });

  it('BUSY: a script goes on', async () => {
    const other = await connect(server.url);
    let ended: Promise<unknown> | undefined;
    await underLoad(
      'BUSY',
      async () => {
        ended = other.command('EVAL', 'while true do end', '0').catch(() => undefined);
      },
      async () => {
        await redis.command('SCRIPT', 'KILL');
        await ended;
      },
    );
    other.destroy();
  });

  it('NOREPLICAS: it has too few', async () => {
    await underLoad(
      'NOREPLICAS',
      () => config('min-replicas-to-write', '1'),
      () => config('min-replicas-to-write', '0'),
    );
  });

  it('READONLY: it is a replica for a while', async () => {
    await underLoad(
      'READONLY',
      () => redis.command('REPLICAOF', '127.0.0.1', '1'),
      () => redis.command('REPLICAOF', 'NO', 'ONE'),
    );
  });

  it('OOM: it is full', async () => {
    await underLoad(
      'OOM',
      () => config('maxmemory', '1'),
      () => config('maxmemory', '0'),
    );
  });

  it.each(['zadd', 'xdel', 'hdel', 'get', 'eval evalsha'])('NOPERM: the right to %s is missing', async (names) => {
    const change = (sign: '-' | '+') =>
      redis.command('ACL', 'SETUSER', 'default', ...names.split(' ').map((name) => `${sign}${name}`));
    await underLoad(
      `NOPERM ${names}`,
      () => change('-'),
      () => change('+'),
    );
  });
});

describe('streams over a Redis that stands still for longer than a lease', { timeout: 180_000 }, () => {
  const server = useRedis();
  const { redis } = server;
  afterEach(endChildren);

  it('gives up nothing, though it happens again and again while there is a backlog', async () => {
    // More often than a request is tried.
    const stalls = isSoak ? 30 : MAX_TRIES + 1;
    const each = isSoak ? 32 : 16;
    const backlog = 600 * each;
    const added: Promise<unknown>[] = [];
    for (let i = 0; i < backlog; i += 1) {
      const session = `waiting-${i % 600}`;
      const stream = keys.requests(partitionOf(session));
      const number = Math.floor(i / 600) + 1;
      added.push(redis.command('XADD', stream, '*', 'c', 'log', 's', session, 'r', `_${i}`, 'p', `late ${number}`));
    }
    await Promise.all(added);
    await Promise.all([startLogger(server.url), startLogger(server.url)]);
    for (let stall = 0; stall < stalls; stall += 1) {
      const left = await backlogOf(redis);
      await waitUntil('they work', async () => (await backlogOf(redis)) < left);
      server.kill('SIGSTOP');
      await sleep(STILL_MS);
      server.kill('SIGCONT');
    }
    await untilWorkedOff(redis, 60_000);
    expect(await deadLettersIn(redis)).toBe(0);
    for (let i = 0; i < 600; i += 1) {
      const log = await redis.command<string[]>('LRANGE', `${keys.subject(`waiting-${i}`)}-log`, '0', '-1');
      expect(log.map((line) => Number(line.split(' ')[1]))).toEqual(Array.from({ length: each }, (_, n) => n + 1));
    }
    const tries = await Promise.all(
      Array.from({ length: PARTITIONS }, (_, partition) => redis.command<object>('HGETALL', keys.tries(partition))),
    );
    await waitUntil('all marks are taken back', () => tries.every((known) => Object.keys(known).length === 0));
  });
});

describe('heartbeats of instances that nobody is', { timeout: 60_000 }, () => {
  const server = useRedis();
  const { redis } = server;
  const owners = (): Promise<(string | null)[]> => ownersIn(redis);
  afterEach(endChildren);

  it('take no partition from those who are there', async () => {
    let running = true;
    const forging = (async () => {
      for (let i = 0; running; i += 1) {
        const heartbeat = {
          instance: `nobody-${i % 50}`,
          glob: '?*',
          commands: ['pageview'],
          leaving: false,
          streams: true,
        };
        await redis.command('PUBLISH', heartbeatChannel('sw'), encodeHeartbeat(heartbeat));
        await pace();
      }
    })();
    await startLogger(server.url);
    const publishers = await startPublishers({ redis: server.url });
    await publishers.more(300);
    await waitUntil('all partitions are owned', async () => (await owners()).every((token) => token !== null));
    const before = await owners();
    await publishers.more(1_500);
    expect(await owners()).toEqual(before);
    running = false;
    await forging;
    const tallies = await publishers.stop();
    await untilWorkedOff(redis);
    expectExactlyOnce(await judge(redis, tallies));
  });

  it('free no partition that is owned, and none that there is not', async () => {
    await startLogger(server.url);
    await waitUntil('all partitions are owned', async () => (await owners()).every((token) => token !== null));
    const before = await owners();
    for (const freed of [Array.from({ length: 200 }, (_, i) => i + 60), [-1, 2 ** 40, 5]]) {
      for (let i = 0; i < 20; i += 1) {
        const message = encodeFreedPartitions({ instance: 'nobody', freed });
        await redis.command('PUBLISH', heartbeatChannel('sw'), message);
      }
    }
    const publishers = await startPublishers({ redis: server.url });
    await publishers.more(500);
    expectExactlyOnce(
      await publishers.stop().then((tallies) => untilWorkedOff(redis).then(() => judge(redis, tallies))),
    );
    expect(await owners()).toEqual(before);
    expect(await redis.command('KEYS', '*undefined*')).toEqual([]);
  });
});
