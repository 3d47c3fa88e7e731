import { describe, expect, it } from 'vitest';
import type { TestClusterNode } from '../../support/test-cluster.ts';
import { useCluster } from '../../support/use-cluster.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { Barrier } from './barrier.ts';
import { MergeSchedule } from './merge-schedule.ts';

/* Merging while masters of a Cluster are replaced: some give their place to their replica in the middle of everything, some
 * are killed. Redis acknowledges before a replica has what it acknowledged, and a master that is killed takes that with
 * it: so it is killed when all schedules stand between two steps and the replicas have all; they go on at once, and meet
 * the outage. */

const IS_LONG = process.env.SESSIONWISE_SOAK_SECONDS !== undefined;
const ROUNDS = IS_LONG ? 30 : 2;
const SCHEDULES = IS_LONG ? 1_500 : 40;
const SIDE_BY_SIDE = 8;
const STEPS = 60;
const FAULTS = 15;
const RECOVERY_MS = 20_000;

const cluster = useCluster({ masters: 3, replicas: 1, eachTest: 'kept' });

const untilReplicated = (): Promise<void> =>
  waitUntil('all is replicated', async () => {
    const infos = await Promise.all(cluster.nodes.map((node) => node.command<string>('INFO', 'replication')));
    const offsets = infos.flatMap((info) => {
      const ours = /^master_repl_offset:(\d+)/m.exec(info)?.[1];
      return [...info.matchAll(/^slave\d+:.*state=online,offset=(\d+)/gm)].map(([, theirs]) => theirs === ours);
    });
    return offsets.length === 3 && offsets.every(Boolean);
  });

const masters = async (): Promise<TestClusterNode[]> => {
  const roles = await Promise.all(cluster.nodes.map((node) => node.command<[string]>('ROLE')));
  return cluster.nodes.filter((_, i) => roles[i]![0] === 'master');
};

describe('merging in a Cluster of three masters that are replaced', () => {
  it.each([512, 5])(
    'keeps each view, page, item and notice, once (exactLimit %i)',
    { timeout: IS_LONG ? 3_600_000 : 900_000 },
    async (exactLimit) => {
      const barrier = new Barrier();
      let [seed, deaths, rounds, isOver] = [0, 0, 0, false];
      const work = async (): Promise<void> => {
        while (!isOver && (seed < SCHEDULES || rounds < ROUNDS)) {
          seed += 1;
          const schedule = new MergeSchedule({
            ...{ redis: cluster.redis, seed: 100_000 + seed, exactLimit, erases: seed % 2 === 0 },
            ...{ steps: STEPS, faults: FAULTS, gate: () => barrier.pass() },
          });
          await barrier.run(() => schedule.run());
          deaths += schedule.deaths;
        }
      };
      const replace = async (): Promise<void> => {
        for (; !isOver && rounds < ROUNDS; rounds += 1) {
          const [victim, other] = (await masters()).sort(() => (rounds % 2 === 0 ? 1 : -1));
          await cluster.failover(other!);
          await barrier.whileClosed(async () => {
            await untilReplicated();
            cluster.kill(victim!, 'SIGKILL');
          });
          // A master that came back before would be an empty one.
          await cluster.untilWell(RECOVERY_MS);
          await cluster.restart(victim!);
          await untilReplicatedAll();
        }
      };
      const schedules = Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
      try {
        await Promise.all([schedules, replace()]);
      } finally {
        isOver = true;
        await schedules.catch(() => undefined);
      }
      console.log(`${seed} schedules, ${2 * rounds} masters replaced, the process ended ${deaths} times.`);
      expect(rounds).toBe(ROUNDS);
    },
  );
});

/** Until each master has its replica again. */
function untilReplicatedAll(): Promise<void> {
  return waitUntil(
    'each master has a replica',
    async () => {
      const infos = await Promise.all(cluster.nodes.map((node) => node.command<string>('INFO', 'replication')));
      return infos.filter((info) => /^slave0:.*state=online/m.test(info)).length === 3;
    },
    RECOVERY_MS,
  );
}
