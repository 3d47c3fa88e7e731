import { afterEach, describe, expect, it } from 'vitest';
import { PARTITIONS } from '../../src/redis/index.ts';
import { slotOfKey } from '../../src/redis/key-slot.ts';
import { useCluster } from '../support/use-cluster.ts';
import { endChildren } from './child.ts';
import {
  allowed,
  expectExactlyOnce,
  figuresOf,
  judge,
  keys,
  startLogger,
  startPublishers,
  untilWorkedOff,
  watchStalls,
} from './streams-stage.ts';

/* A Cluster under load: a master dies and its replica takes over, slots move from one master to another.
 *
 * Redis answers before its replicas have what it answered. What a master that dies had acknowledged and not yet passed
 * on is lost: on a quiet link what was acknowledged within some milliseconds. The test grants LAG_MS. */

const LAG_MS = 500;
/** How long it may take beyond the failover itself. */
const RECOVERY_MS = 2_000;
const MOVES = 3;

const cluster = useCluster({ masters: 3, replicas: 1, eachTest: 'new' });
const { redis } = cluster;

afterEach(async () => {
  await endChildren();
});

describe('streams in a Cluster under load', { timeout: 120_000 }, () => {
  it('lose at most what a dying master had not passed on, double nothing, and go on', async () => {
    await Promise.all([startLogger(cluster.url), startLogger(cluster.url)]);
    const publishers = await startPublishers({ redis: cluster.url });
    await publishers.more(1_500);
    const stalledMs = watchStalls();
    const master = await cluster.masterOf(keys.requests(0));
    const killedAt = Date.now();
    cluster.kill(master, 'SIGKILL');
    await cluster.untilWell();
    const failoverMs = Date.now() - killedAt;
    await publishers.more(1_000);
    const tallies = await publishers.stop();
    await untilWorkedOff(redis);
    const { lost, ...verdict } = await judge(redis, tallies);
    const stallMs = stalledMs();
    console.log('Master killed:', JSON.stringify({ ...figuresOf({ lost, ...verdict }), failoverMs, stallMs }));
    expectExactlyOnce({ lost: [], ...verdict });
    // A slack of 10 ms: the acknowledgement was on its way.
    expect(lost.filter(({ at }) => at < killedAt - LAG_MS || at > killedAt + 10)).toEqual([]);
    expect(tallies.filter(({ isKept }) => isKept).flatMap(({ unknown }) => unknown)).toEqual([]);
    expect(verdict.longestMs).toBeLessThan(failoverMs + allowed(RECOVERY_MS) + stallMs);
  });

  it('lose and double nothing while slots move', async () => {
    await Promise.all([startLogger(cluster.url), startLogger(cluster.url)]);
    const publishers = await startPublishers({ redis: cluster.url });
    await publishers.more(1_000);
    const from = cluster.nodes[0]!;
    let moves = 0;
    for (let partition = 0; partition < PARTITIONS && moves < MOVES; partition += 1) {
      const key = keys.requests(partition);
      if ((await cluster.masterOf(key)).index !== from.index) continue;
      // Halfway, so that some of a partition's keys are here and some are there for a while.
      await cluster.moveSlot(slotOfKey(key), from.index, 1, () => publishers.more(200));
      moves += 1;
    }
    await publishers.more(500);
    const tallies = await publishers.stop();
    await untilWorkedOff(redis);
    const verdict = await judge(redis, tallies);
    console.log('Slots moved:', JSON.stringify({ moves, ...figuresOf(verdict) }));
    expectExactlyOnce(verdict);
    expect(moves).toBe(MOVES);
  });
});
