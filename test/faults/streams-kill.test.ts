import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { endChildren } from './child.ts';
import {
  allowed,
  expectExactlyOnce,
  figuresOf,
  type Instance,
  judge,
  mainOwner,
  SECRET,
  soakSeconds,
  startLogger,
  startPublishers,
  startServe,
  untilWorkedOff,
  watchStalls,
} from './streams-stage.ts';

/* Three instances, 16 publishers; every two or three seconds the instance that owns most is killed with SIGKILL, and
 * another is started. SESSIONWISE_SOAK_SECONDS says for how long each test goes on (10 unless told).
 *
 * The hand-over is what an accepted request has waited at most, from when it was sent until its effects were there, by
 * the clock of the machine. Where the machine stood still, that much is granted on top. */

/** Between two kills, in milliseconds: longer than a lease, so that the partitions have an owner again; at random, so that
 *  each kill meets another moment. */
const BETWEEN_KILLS_MS = 2_000;
const KILL_JITTER_MS = 1_000;
const HAND_OVER_MS = 2_000;
const SECONDS = soakSeconds(7);

const server = useRedis();
const { redis } = server;
let instances: Instance[] = [];

afterEach(async () => {
  await endChildren();
});

/** Kills and starts for as long as the test goes on. How often. */
async function killAgainAndAgain(start: () => Promise<Instance>): Promise<number> {
  const end = performance.now() + SECONDS * 1000;
  const heirs: Promise<unknown>[] = [];
  while (performance.now() < end) {
    await sleep(BETWEEN_KILLS_MS + Math.random() * KILL_JITTER_MS);
    await waitUntil('two instances are there', () => instances.length > 1);
    const victim = await mainOwner(redis, instances);
    instances = instances.filter((one) => one !== victim);
    await victim.kill('SIGKILL');
    // The others go on while it starts.
    heirs.push(start().then((heir) => instances.push(heir)));
  }
  await Promise.all(heirs);
  return heirs.length;
}

describe('instances that are killed under load', { timeout: SECONDS * 1000 + 60_000 }, () => {
  it('do everything once, each session in order, and hand over within two seconds', async () => {
    const start = (): Promise<Instance> => startLogger(server.url);
    instances = await Promise.all([start(), start(), start()]);
    const publishers = await startPublishers({ redis: server.url });
    await publishers.more(500);
    const stalledMs = watchStalls();
    const kills = await killAgainAndAgain(start);
    const tallies = await publishers.stop();
    await untilWorkedOff(redis);
    const verdict = await judge(redis, tallies);
    const stallMs = stalledMs();
    console.log('Instances killed under load:', JSON.stringify({ kills, ...figuresOf(verdict), stallMs }));
    expectExactlyOnce(verdict);
    expect(verdict.unknown).toBe(0);
    expect(kills).toBeGreaterThan(2);
    expect(verdict.longestMs).toBeLessThan(allowed(HAND_OVER_MS) + stallMs);
  });

  it('count every view once, as users start them', async () => {
    const start = (): Promise<Instance> => startServe(server.url);
    instances = await Promise.all([start(), start(), start()]);
    const publishers = await startPublishers({ redis: server.url, command: 'pageview' });
    await publishers.more(500);
    const kills = await killAgainAndAgain(start);
    const tallies = await publishers.stop();
    await untilWorkedOff(redis);
    const client = new SessionClient({ redis: server.url, transport: 'streams', secret: SECRET, deadlineMs: 20_000 });
    expect(await client.ready()).toBe(true);
    let views = 0;
    for (const { session, accepted, unknown } of tallies) {
      expect(unknown).toEqual([]);
      const pages = new Set(accepted.map(([number]) => number % 50));
      expect(await client.request('session-analytics', session, ''), session).toMatchObject({
        totalPages: accepted.length,
        uniquePages: pages.size,
      });
      views += accepted.length;
    }
    await client.close();
    console.log('Views while instances were killed:', JSON.stringify({ kills, views }));
    expect(kills).toBeGreaterThan(2);
  });
});
