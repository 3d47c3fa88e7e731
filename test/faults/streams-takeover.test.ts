import { afterEach, describe, expect, it } from 'vitest';
import { partitionOf } from '../../src/redis/index.ts';
import type { TestClusterNode } from '../support/test-cluster.ts';
import { useCluster } from '../support/use-cluster.ts';
import { waitUntil } from '../support/wait-until.ts';
import { endChildren } from './child.ts';
import { keys, readLog, soakSeconds, startLogger } from './streams-stage.ts';

/* A replica that lags takes over while the owner of a partition keeps its lease and its connections: what the old master
 * had done and not passed on is in the stream again. */

const LATE = 20;
const ALL = 24;
const ROUNDS = soakSeconds(0) > 0 ? 12 : 3;

const cluster = useCluster({ masters: 3, replicas: 1 });
const { redis } = cluster;

afterEach(async () => {
  await endChildren();
});

async function replicaOf(master: TestClusterNode): Promise<TestClusterNode> {
  const view = await master.command<string>('CLUSTER', 'NODES');
  const ids = view.split('\n').map((line) => line.split(' '));
  const id = ids.find(([, , , of]) => of === master.id)?.[0];
  return cluster.nodes.find((node) => node.id === id)!;
}

describe('a replica that takes over and lags', { timeout: 180_000 }, () => {
  it('keeps the order of a session', async () => {
    const { ready } = await startLogger(cluster.url);
    for (let round = 0; round < ROUNDS; round += 1) {
      const session = `moved-${round}`;
      const stream = keys.requests(partitionOf(session));
      const add = (number: number, what = String(number), to: Pick<TestClusterNode, 'command'> = redis) =>
        to.command('XADD', stream, '*', 'c', 'log', 's', session, 'r', `_${number}`, 'p', `${what} ${number}`);
      const done = async (): Promise<number> => (await readLog(redis, session)).length;
      await waitUntil('the partition is owned', async () => {
        const owner = await redis.command<string | null>('GET', keys.owner(partitionOf(session)));
        return owner?.startsWith(ready.instance) ?? false;
      });
      for (let number = 1; number <= 5; number += 1) await add(number);
      await waitUntil('the first are done', async () => (await done()) === 5);
      const master = await cluster.masterOf(stream);
      const replica = await replicaOf(master);
      // These take a while each, together longer than the old master needs to hear that it is none. They are passed on,
      // and what is done of them is not.
      for (let number = 6; number <= LATE; number += 1) await add(number, 'late');
      await waitUntil('they are passed on', async () => isEven(master, replica));
      await replica.command('CONFIG', 'SET', 'masteruser', 'nobody');
      await replica.command('CONFIG', 'SET', 'masterauth', 'wrong');
      await master.command('CLIENT', 'KILL', 'TYPE', 'replica');
      await waitUntil('one is done', async () => (await done()) >= 6);
      await replica.command('CLUSTER', 'FAILOVER', 'TAKEOVER');
      // To the new master itself: what the old one took now would be lost with it.
      for (let number = LATE + 1; number <= ALL; number += 1) {
        await waitUntil('it is taken', () => add(number, String(number), replica).then(Boolean, () => false), 10_000);
      }
      await waitUntil('all are done', async () => (await done()) === ALL, 20_000);
      const log = await redis.command<string[]>('LRANGE', `${keys.subject(session)}-log`, '0', '-1');
      expect(log.map((line) => Number(line.split(' ')[1]))).toEqual(Array.from({ length: ALL }, (_, i) => i + 1));
      await replica.command('CONFIG', 'SET', 'masteruser', '');
      await replica.command('CONFIG', 'SET', 'masterauth', '');
      await cluster.untilWell();
    }
  });
});

async function isEven(master: TestClusterNode, replica: TestClusterNode): Promise<boolean> {
  const [sent, got] = await Promise.all([
    master.command<string>('INFO', 'replication'),
    replica.command<string>('INFO', 'replication'),
  ]);
  const offset = (text: string, name: string): string | undefined => new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1];
  return offset(sent, 'master_repl_offset') === offset(got, 'slave_repl_offset');
}
