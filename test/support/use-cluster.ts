import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { createConnection, type RedisConnection } from '../../src/redis/index.ts';
import { resetServer, type ServerState, stateOf } from './reset-server.ts';
import { startTestCluster, type TestCluster, type TestClusterNode, type TestClusterOptions } from './test-cluster.ts';
import { standInFor } from './use-redis.ts';
import { waitUntil } from './wait-until.ts';

/** How the tests of a file use their Cluster. */
export interface UseClusterOptions extends TestClusterOptions {
  /** As for `useRedis`: with `empty` a server that a test killed or froze is started again. `new` is for tests after
   *  which the Cluster is another one, with a replica in the place of a master: it takes seconds a test. */
  readonly eachTest?: 'empty' | 'kept' | 'new';
}

/** The Cluster of the running test. */
export interface UsedCluster extends TestCluster {
  /** A connection of the tests' own to all masters; it may be destructured. */
  readonly redis: RedisConnection;
}

const START_DEADLINE_MS = 60_000;

/** Starts a Cluster before the tests of a file or of a `describe`, and stops it after them. Hooks that are registered
 *  later find it started. */
export function useCluster({ eachTest = 'empty', ...options }: UseClusterOptions = {}): UsedCluster {
  let cluster: TestCluster | undefined;
  let redis: RedisConnection | undefined;
  let states: ReadonlyMap<string, ServerState>;
  const down = new Map<TestClusterNode, NodeJS.Signals>();

  async function start(): Promise<void> {
    cluster = await startTestCluster(options);
    redis = await createConnection(cluster.url, 'test').connect(START_DEADLINE_MS);
    states = new Map(
      await Promise.all(redis.masters().map(async (master) => [master.address, await stateOf(master)] as const)),
    );
  }
  async function stop(): Promise<void> {
    redis?.destroy();
    await cluster?.stop();
    cluster = undefined;
    down.clear();
  }
  async function raise(): Promise<void> {
    for (const [node, signal] of down) {
      if (signal === 'SIGSTOP') cluster!.kill(node, 'SIGCONT');
      else await cluster!.restart(node);
    }
    down.clear();
    await cluster!.untilWell();
  }
  async function empty(): Promise<void> {
    if (down.size > 0) await raise();
    await waitUntil('the connection to the Cluster is there', () => redis!.isReady);
    await Promise.all(redis!.masters().map((master) => resetServer(master, states.get(master.address)!)));
  }

  if (eachTest === 'new') {
    beforeEach(start, START_DEADLINE_MS);
    afterEach(stop);
  } else {
    beforeAll(start, START_DEADLINE_MS);
    afterAll(stop);
    if (eachTest === 'empty') beforeEach(empty);
  }

  const started = (): TestCluster => {
    if (cluster === undefined) throw new Error('The Cluster is started by the hooks that useCluster registers.');
    return cluster;
  };
  return standInFor<UsedCluster>(started, {
    redis: standInFor(() => redis!),
    kill(node, signal) {
      if (signal === 'SIGCONT') down.delete(node);
      else down.set(node, signal);
      started().kill(node, signal);
    },
    async restart(node) {
      await started().restart(node);
      down.delete(node);
    },
  });
}
