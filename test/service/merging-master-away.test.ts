import { expect, it, onTestFinished } from 'vitest';
import { personOf } from '../../src/index.ts';
import { Knowledge } from '../../src/knowledge/index.ts';
import { Keys, partitionOf } from '../../src/redis/index.ts';
import { silentLog } from '../../src/service/log.ts';
import { PersonMerging } from '../../src/service/person-merging.ts';
import { useCluster } from '../support/use-cluster.ts';
import { TEST_SECRET } from '../support/use-test-data.ts';
import { waitUntil } from '../support/wait-until.ts';

/* The sweep of merges, while the master of its lease is away and nobody takes its place. */

const keys = new Keys('sw');
const cluster = useCluster({ persistence: true, extraArgs: ['--cluster-require-full-coverage', 'no'] });
const { redis } = cluster;

it('merging goes on for the other masters, also where its lease lies on the one that is gone', async () => {
  const knowledge = new Knowledge(redis, keys, TEST_SECRET, Date.now);
  const [page] = knowledge.items.ofAll('page', ['/a']);
  const away = await cluster.masterOf(keys.lease('merge'));
  const isReached = async (key: string): Promise<boolean> => (await cluster.masterOf(key)).index !== away.index;
  const sessions: string[] = [];
  for (let i = 0; sessions.length < 20; i += 1) {
    const [session, person] = [`s${i}`, knowledge.read(personOf(`u${i}`)).subject];
    if (!(await isReached(keys.subject(session))) || !(await isReached(keys.subject(person)))) continue;
    await knowledge.recordView(session, page!);
    await knowledge.people.identify(person, session);
    // As a process leaves it that ends between a late view and its push.
    await redis.command('HINCRBY', keys.claim(session), 'dirty', '1');
    await redis.command('ZADD', keys.merging(partitionOf(session)), '0', session);
    sessions.push(session);
  }
  const isClean = async (session: string): Promise<boolean> => {
    const [dirty, clean] = await redis.command<string[]>('HMGET', keys.claim(session), 'dirty', 'clean');
    return dirty === clean;
  };
  expect(await Promise.all(sessions.map(isClean))).not.toContain(true);
  cluster.kill(away, 'SIGKILL');
  await waitUntil('it is missed', () => !redis.isReadyFor(keys.lease('merge')));
  const merging = new PersonMerging(redis, 'sw', knowledge, () => true, silentLog);
  onTestFinished(() => merging.stop());
  merging.start();
  await waitUntil('all are merged', async () => !(await Promise.all(sessions.map(isClean))).includes(false), 20_000);
}, 60_000);
