import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { createConnection, type RedisConnection } from '../../../src/redis/index.ts';
import type { TestClusterNode } from '../../support/test-cluster.ts';
import { hasRedis7 } from '../../support/test-server.ts';
import { useCluster } from '../../support/use-cluster.ts';
import { pace, waitUntil } from '../../support/wait-until.ts';

const KEY = '{held}k';
// The Cluster takes 1.5 s to miss a master and up to a second to elect another; a loaded machine takes longer.
const RECOVERY_MS = 12_000;

const cluster = useCluster({ masters: 3, replicas: 1, eachTest: 'kept' });
let redis: RedisConnection;
let opened: RedisConnection[];

const connect = (connection = createConnection(cluster.url)): Promise<RedisConnection> => {
  opened.push(connection);
  return connection.connect();
};
const masterOf = (key = KEY): Promise<TestClusterNode> => cluster.masterOf(key);
const addressOf = (node: TestClusterNode): string => `127.0.0.1:${node.port}`;

/** Resolves when the replicas have all that their masters have. */
const untilReplicated = (): Promise<void> =>
  waitUntil('all is replicated', async () => {
    const infos = await Promise.all(cluster.nodes.map((node) => node.command<string>('INFO', 'replication')));
    const offsets = infos.flatMap((info) => {
      const ours = /^master_repl_offset:(\d+)/m.exec(info)?.[1];
      return [...info.matchAll(/^slave\d+:.*offset=(\d+)/gm)].map(([, theirs]) => theirs === ours);
    });
    return offsets.length === 3 && offsets.every(Boolean);
  });

let loads = 0;
/** Commands that go on until they are told to end; how many were acknowledged of each key, and what else came. */
const load = (
  connection: RedisConnection,
): { end(): Promise<void>; keys: string[]; acknowledged: number[]; refused: Error[] } => {
  loads += 1;
  const keys = Array.from({ length: 16 }, (_, i) => `load-${loads}-${i}`);
  const acknowledged = keys.map(() => 0);
  const refused: Error[] = [];
  let isOver = false;
  const loops = keys.map(async (key, i) => {
    while (!isOver) {
      try {
        await connection.command('INCR', key);
        acknowledged[i]! += 1;
      } catch (error) {
        refused.push(error as Error);
        await pace();
      }
    }
  });
  return {
    keys,
    acknowledged,
    refused,
    async end() {
      isOver = true;
      await Promise.all(loops);
    },
  };
};

beforeEach(async () => {
  opened = [];
  redis = await connect();
});
afterEach(async () => {
  await Promise.all(opened.map((connection) => connection.close()));
});

it('failover in a Cluster: a master that is killed under load is replaced, and nothing that was replicated is lost', async () => {
  const keys = Array.from({ length: 200 }, (_, i) => `before-${i}`);
  await Promise.all(keys.map((key) => redis.command('SET', key, 'kept')));
  const running = load(redis);
  onTestFinished(() => running.end());
  await waitUntil('the load runs', () => running.acknowledged.every((count) => count > 0));
  await untilOnTwoServers(keys);
  const victim = await masterOf();
  const events: string[] = [];
  redis.on('lost', () => events.push('lost')).on('ready', () => events.push('ready'));
  cluster.kill(victim, 'SIGKILL');
  await waitUntil('it is missed', () => !redis.isReadyFor(KEY) && !redis.isReady);
  const began = performance.now();
  await expect(redis.command('GET', KEY)).rejects.toMatchObject({ code: 'REDIS_NOT_READY' });
  await waitUntil('it is replaced', () => redis.isReady, RECOVERY_MS);
  const took = performance.now() - began;
  const counted = [...running.acknowledged];
  await waitUntil('the load goes on', () => running.acknowledged.every((count, i) => count > counted[i]! + 5));
  await running.end();
  expect(took).toBeLessThan(RECOVERY_MS);
  expect(events[0]).toBe('lost');
  expect(events.filter((event) => event === 'ready')).toHaveLength(1);
  expect(redis.masters().map(({ address }) => address)).not.toContain(addressOf(victim));
  expect(await Promise.all(keys.map((key) => redis.command('GET', key)))).toEqual(keys.map(() => 'kept'));
  // Of what was acknowledged in the last moment the replica may not have heard. Nothing else is missing, and what was
  // refused on the way may have been done.
  for (const [i, count] of running.acknowledged.entries()) {
    const value = Number(await redis.command('GET', running.keys[i]!));
    expect(value).toBeGreaterThanOrEqual(count - counted[i]!);
    expect(value).toBeLessThanOrEqual(count + running.refused.length);
  }
  await cluster.restart(victim);
});

it('failover in a Cluster: a master that freezes is replaced too', async () => {
  const victim = await masterOf();
  await redis.command('SET', KEY, 'kept');
  await untilReplicated();
  const running = load(redis);
  onTestFinished(async () => {
    cluster.kill(victim, 'SIGCONT');
    await running.end();
  });
  cluster.kill(victim, 'SIGSTOP');
  await waitUntil(
    'the key is found elsewhere',
    () => redis.masters().every(({ address }) => address !== addressOf(victim)) && redis.isReadyFor(KEY),
    RECOVERY_MS,
  );
  expect(await redis.command('GET', KEY)).toBe('kept');
  const counted = [...running.acknowledged];
  await waitUntil('the whole load goes on', () => running.acknowledged.every((count, i) => count > counted[i]! + 5));
  cluster.kill(victim, 'SIGCONT');
  await running.end();
  await cluster.untilWell();
});

it('failover in a Cluster: a master that gives its place to its replica is left without a loss', async () => {
  const running = load(redis);
  await waitUntil('the load runs', () => running.acknowledged.every((count) => count > 5));
  const before = await masterOf();
  const after = await cluster.failover(before);
  const counted = [...running.acknowledged];
  await waitUntil('the load goes on', () => running.acknowledged.every((count, i) => count > counted[i]! + 5));
  await running.end();
  expect(addressOf(await masterOf())).toBe(addressOf(after));
  for (const [i, count] of running.acknowledged.entries()) {
    const value = Number(await redis.command('GET', running.keys[i]!));
    expect(value).toBeGreaterThanOrEqual(count);
    expect(value).toBeLessThanOrEqual(count + running.refused.length);
  }
});

it('failover in a Cluster: a subscription goes to another node when its node dies', async () => {
  const heard: string[] = [];
  const subscriber = await connect(redis.duplicate('ear'));
  await subscriber.subscribePatterns(['p:*'], (message) => heard.push(message));
  await subscriber.subscribe('c', (message) => heard.push(message));
  const lists = await Promise.all(
    cluster.nodes.map((node) => node.command<string>('CLIENT', 'LIST', 'TYPE', 'pubsub')),
  );
  const node = cluster.nodes[lists.findIndex((list) => list.includes('name=ear'))]!;
  let lost = 0;
  subscriber.on('lost', () => {
    lost += 1;
  });
  cluster.kill(node, 'SIGKILL');
  await waitUntil('it is missed', () => lost > 0 && !subscriber.isReady);
  const rest = cluster.nodes.filter((other) => other !== node);
  const heardBy = async (): Promise<number> => {
    const counts = await Promise.all(rest.map((other) => other.command<number>('PUBSUB', 'NUMPAT')));
    return counts.reduce((sum, count) => sum + count);
  };
  await waitUntil('somebody else hears', async () => (await heardBy()) === 1);
  await waitUntil('all is well', () => subscriber.isReady, RECOVERY_MS);
  await redis.command('PUBLISH', 'p:1', 'pattern');
  await redis.command('PUBLISH', 'c', 'channel');
  await waitUntil('both are heard', () => heard.length === 2);
  expect([...heard].sort()).toEqual(['channel', 'pattern']);
  await cluster.restart(node);
});

it.skipIf(!hasRedis7)(
  'failover in a Cluster: a connection of its own follows its key, with its sharded channel',
  async () => {
    const heard: string[] = [];
    const own = await connect(redis.duplicateFor(KEY));
    await own.subscribeSharded(KEY, (message) => heard.push(message));
    // It does so by itself, whatever became of the connection that it was made from.
    const parent = await createConnection(cluster.url).connect();
    const blocking = await connect(parent.duplicateFor(KEY));
    await parent.close();
    const hanging = blocking.command('BLPOP', '{held}list', '0').catch((error: Error) => error);
    const victim = await masterOf();
    cluster.kill(victim, 'SIGKILL');
    expect(await hanging).toBeInstanceOf(Error);
    await waitUntil('both are elsewhere', () => own.isReady && blocking.isReady, RECOVERY_MS);
    const now = addressOf(await masterOf());
    expect([own.address, blocking.address]).toEqual([now, now]);
    expect(now).not.toBe(addressOf(victim));
    await waitUntil('commands go there too', () => redis.isReadyFor(KEY), RECOVERY_MS);
    expect(await redis.command('SPUBLISH', KEY, 'still here')).toBe(1);
    await waitUntil('it is heard', () => heard.length === 1);
    const popped = blocking.command('BLPOP', '{held}list', '5');
    await redis.command('RPUSH', '{held}list', 'x');
    expect(await popped).toEqual(['{held}list', 'x']);
    await cluster.restart(victim);

    // A master that becomes a replica takes neither writes nor waits.
    await cluster.failover(await masterOf());
    await waitUntil('a push is popped at the new master', async () => {
      const next = blocking.command('BLPOP', '{held}list', '1').catch(() => null);
      await redis.command('RPUSH', '{held}list', 'y').catch(() => undefined);
      return (await next) !== null && blocking.address === addressOf(await masterOf());
    });
    await waitUntil('the channel is heard', async () => (await redis.command('SPUBLISH', KEY, 'moved')) === 1);
    await waitUntil('the message is there', () => heard.includes('moved'));
  },
);

it('failover in a Cluster: a connection comes back by itself after all of the Cluster was away', async () => {
  const ready = new Promise<void>((resolve) => {
    redis.once('ready', () => resolve());
  });
  const subscriber = await connect(redis.duplicate());
  const heard: string[] = [];
  await subscriber.subscribe('c', (message) => heard.push(message));
  for (const node of cluster.nodes) cluster.kill(node, 'SIGKILL');
  // One master is missed a moment before the others, and what goes to any of them would still be sent to those.
  const masters = redis.masters();
  await waitUntil('all is missed', () => !masters.some(({ isReady }) => isReady) && !subscriber.isReady);
  expect([redis.isReady, redis.isReadyFor(KEY)]).toEqual([false, false]);
  await expect(redis.command('PING')).rejects.toMatchObject({ code: 'REDIS_NOT_READY' });
  await Promise.all(cluster.nodes.map((node) => cluster.restart(node)));
  await ready;
  await waitUntil('it takes writes', () => redis.command('SET', KEY, 'new').then(Boolean, () => false), RECOVERY_MS);
  await waitUntil('the subscription is back', () => subscriber.isReady, RECOVERY_MS);
  await redis.command('PUBLISH', 'c', 'm');
  await waitUntil('it is heard', () => heard.length === 1);
});

/** Resolves when each key is on two servers. */
async function untilOnTwoServers(keys: readonly string[]): Promise<void> {
  await waitUntil('the keys are replicated', async () => {
    const sizes = await Promise.all(
      cluster.nodes.map(async (node) => {
        await node.command('READONLY');
        const found = await Promise.all(keys.map((key) => node.command('EXISTS', key).catch(() => 0)));
        return found.filter((exists) => exists === 1).length;
      }),
    );
    return sizes.reduce((sum, size) => sum + size) === keys.length * 2;
  });
}
