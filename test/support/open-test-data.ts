import { createConnection, Keys, type RedisConnection } from '../../src/redis/index.ts';
import {
  CalculatedData,
  type CalculatedDataOptions,
  ItemKey,
  SEEN_ITEMS_DEFAULTS,
} from '../../src/structures/index.ts';
import { startTestRedis, type TestRedis } from './test-redis.ts';

/** A clock that stands still until it is told. */
export interface TestClock {
  now: number;
}

/** The structures over a Redis of their own. */
export interface TestData {
  readonly server: TestRedis;
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly itemKey: ItemKey;
  readonly data: CalculatedData;
  readonly clock: TestClock;
  /** The same structures with other options. */
  with(options: CalculatedDataOptions): CalculatedData;
  stop(): Promise<void>;
}

export const TEST_SECRET = 'a secret for tests, and only for them';

/** Starts a Redis and opens the structures on it. The clock begins at 2026-03-10 12:00 UTC. */
export async function openTestData(serverPath?: string): Promise<TestData> {
  const server = await startTestRedis(serverPath === undefined ? {} : { serverPath });
  const redis = await createConnection(server.url).connect();
  const keys = new Keys('sw');
  const itemKey = new ItemKey(TEST_SECRET);
  const clock = { now: Date.UTC(2026, 2, 10, 12) };
  const build = (options: CalculatedDataOptions): CalculatedData =>
    new CalculatedData(redis, keys, itemKey, () => clock.now, { seen: SEEN_ITEMS_DEFAULTS, ...options });
  return {
    server,
    redis,
    keys,
    itemKey,
    data: build({}),
    clock,
    with: build,
    stop: async () => {
      await redis.close();
      await server.stop();
    },
  };
}
