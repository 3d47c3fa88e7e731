import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { isUnread, Knowledge, type ListName } from '../../src/knowledge/index.ts';
import { Keys, type RedisConnection } from '../../src/redis/index.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { useCluster } from '../support/use-cluster.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { endChildren } from './child.ts';
import { openNoticeSite, type Way } from './notices/notice-site.ts';
import { DOUBT_MS, NoticeStage, SEGMENT } from './notices/notice-stage.ts';
import { compareAll, type ReadAnew, runParallel } from './notices/parallel-notices.ts';
import { SECRET } from './streams-stage.ts';

/* Notices against a plain model, in parallel: three devices, two instances of the service as processes of their own, on one
 * server and on a Cluster of three. Instances are killed and started again, and so are servers of Redis, which lose nothing
 * that they acknowledged (AOF always). With SESSIONWISE_SOAK_SECONDS 10,000 operations each way on each server, minutes
 * each; else some hundred in all. */

const IS_LONG = process.env.SESSIONWISE_SOAK_SECONDS !== undefined;
const OPERATIONS = IS_LONG ? 10_000 : 120;
const AT_ONCE = 12;
const COMPARED_EACH = IS_LONG ? 250 : 80;
/** How many operations lie between two kills. */
const KILLED_EACH = IS_LONG ? 1_000 : 120;
const WAYS: readonly Way[] = ['channels', 'streams', 'inline'];
/** Which of them are tried where there is little time, and what is killed first. */
const SHORT = { server: { channels: 'Redis', streams: 'service' }, cluster: { inline: 'service' } } as const;

afterEach(endChildren);

interface Server {
  readonly url: string;
  readonly redis: RedisConnection;
  /** Kills a server as by SIGKILL, and starts it again. */
  restart(): Promise<void>;
}

async function run(server: Server, way: Way, seed: number, first: 'Redis' | 'service' = 'service'): Promise<void> {
  const site = await openNoticeSite(way, server.url);
  onTestFinished(() => site.stop());
  const stage = new NoticeStage(site, new SeededRandom(seed));
  let kills = 0;
  const isService = (number: number): boolean => (number % 2 === 1) === (first === 'service');
  let killing: Promise<void> | undefined;
  const kill = async (): Promise<void> => {
    kills += 1;
    await site.disturb(() => (isService(kills) ? site.killService(kills % 4 < 2 ? 0 : 1) : server.restart()));
  };
  const started = performance.now();
  const done = await runParallel(stage, {
    count: OPERATIONS,
    atOnce: AT_ONCE,
    each: (number) => {
      // Beside the others, one at a time.
      if (number % KILLED_EACH === KILLED_EACH / 2) killing = (killing ?? Promise.resolve()).then(kill);
      return number % COMPARED_EACH === 0 ? compareAll(stage, readAnew(server)) : undefined;
    },
  });
  await killing;
  await compareAll(stage, readAnew(server));
  // What was to come is there, and what was to end has ended.
  while (stage.inDoubt().size > 0) await sleep(DOUBT_MS / 5);
  await compareAll(stage, readAnew(server));
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`Notices over ${way}, seed ${seed}: ${JSON.stringify({ done, kills, seconds })}`);
  expect(kills).toBeGreaterThan(0);
}

function waysOf(short: Partial<Record<Way, 'Redis' | 'service'>>): [Way, 'Redis' | 'service'][] {
  return IS_LONG ? WAYS.map((way) => [way, 'service']) : (Object.entries(short) as [Way, 'Redis' | 'service'][]);
}

// As a process that has kept nothing, with a clock of its own.
function readAnew({ redis }: Server): ReadAnew {
  return async (subject, lists) => {
    await waitUntil('the connection is there', () => redis.isReady);
    // Each follows the one connection.
    redis.setMaxListeners(0);
    const knowledge = new Knowledge(redis, new Keys('sw'), SECRET, Date.now);
    const names = lists.map((name): ListName => ({ kind: name === SEGMENT ? 'segment' : 'group', name }));
    const view = await knowledge.notices.view(knowledge.read(subject), names);
    const notices = [...view.shown()].map(({ notice: { id, text }, state }) => ({
      id,
      text,
      seen: state !== 0,
      read: !isUnread(state),
    }));
    return { notices, unseen: view.unseen, unread: view.unread };
  };
}

describe('notices on one server, while instances and Redis are killed', { timeout: 900_000 }, () => {
  const server = useRedis({ persistence: true });
  const restart = async (): Promise<void> => {
    server.kill('SIGKILL');
    await server.restart();
  };

  it.each(waysOf(SHORT.server))('are what a plain model shows, over %s', (way, first) =>
    run({ url: server.url, redis: server.redis, restart }, way, 1 + WAYS.indexOf(way), first),
  );
});

describe('notices on a Cluster of three, while instances and masters are killed', { timeout: 900_000 }, () => {
  const cluster = useCluster({ persistence: true });
  let restarts = 0;
  const restart = async (): Promise<void> => {
    const node = cluster.nodes[restarts % cluster.nodes.length]!;
    restarts += 1;
    cluster.kill(node, 'SIGKILL');
    await cluster.restart(node);
  };

  it.each(waysOf(SHORT.cluster))('are what a plain model shows, over %s', (way, first) =>
    run({ url: cluster.url, redis: cluster.redis, restart }, way, 11 + WAYS.indexOf(way), first),
  );
});
