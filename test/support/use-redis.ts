import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { createConnection, type RedisConnection } from '../../src/redis/index.ts';
import { resetServer, type ServerState, stateOf } from './reset-server.ts';
import { startTestRedis, type TestRedis, type TestRedisOptions } from './test-redis.ts';
import { waitUntil } from './wait-until.ts';

/** How the tests of a file use their Redis. */
export interface UseRedisOptions extends TestRedisOptions {
  /** What each test finds. `empty` (default): the file's server without data, scripts and changed settings. `kept`: the
   *  file's server as the test before left it, for files that start a service once. `new`: a server of its own, for
   *  tests that leave one that cannot be mended. */
  readonly eachTest?: 'empty' | 'kept' | 'new';
}

/** The Redis of the running test. */
export interface UsedRedis extends TestRedis {
  /** A connection of the tests' own, open while the server is: it looks at the data and breaks them. It may be destructured:
   *  it always goes to the server of the running test. */
  readonly redis: RedisConnection;
}

// A loaded machine must not fail the first test.
const CONNECT_DEADLINE_MS = 20_000;

/** Starts a Redis before the tests of a file or of a `describe`, and stops it after them. Hooks that are registered later
 *  find it started. One that a test killed or froze is there again for the next test. */
export function useRedis({ eachTest = 'empty', ...options }: UseRedisOptions = {}): UsedRedis {
  let server: TestRedis | undefined;
  let redis: RedisConnection | undefined;
  let state: ServerState;
  let isDown = false;

  async function start(): Promise<void> {
    server = await startTestRedis(options);
    redis = await createConnection(server.url, 'test').connect(CONNECT_DEADLINE_MS);
    state = await stateOf(redis);
  }
  async function stop(): Promise<void> {
    redis?.destroy();
    await server?.stop();
    server = undefined;
    isDown = false;
  }
  async function empty(): Promise<void> {
    if (isDown) {
      await stop();
      await start();
    }
    await waitUntil('the connection to Redis is there', () => redis!.isReady);
    await resetServer(redis!, state);
  }

  if (eachTest === 'new') {
    beforeEach(start);
    afterEach(stop);
  } else {
    beforeAll(start);
    afterAll(stop);
    if (eachTest === 'empty') beforeEach(empty);
  }

  const started = (): TestRedis => {
    if (server === undefined) throw new Error('This Redis is started by the hooks that useRedis registers.');
    return server;
  };
  return standInFor<UsedRedis>(started, {
    redis: standInFor(() => redis!),
    kill(signal) {
      isDown = signal !== 'SIGCONT';
      started().kill(signal);
    },
    async restart() {
      await started().restart();
      isDown = false;
    },
    async stop() {
      isDown = true;
      await started().stop();
    },
  });
}

/** Does what `current()` does, which is another one after a hook, but for what is its `own`. */
export function standInFor<Some extends object>(current: () => Partial<Some>, own: Partial<Some> = {}): Some {
  return new Proxy(own as Some, {
    get: (_, name) => {
      const owner = name in own ? own : current();
      const value: unknown = Reflect.get(owner, name);
      return typeof value === 'function' ? value.bind(owner) : value;
    },
  });
}
