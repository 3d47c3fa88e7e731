import { Keys, type RedisConnection } from '../../src/redis/index.ts';
import {
  CalculatedData,
  type CalculatedDataOptions,
  ItemKey,
  SEEN_ITEMS_DEFAULTS,
} from '../../src/structures/index.ts';
import { type UsedRedis, type UseRedisOptions, useRedis } from './use-redis.ts';

/** A clock that stands still until it is told. */
export interface TestClock {
  now: number;
}

/** The structures over the Redis of the running test. */
export interface TestData {
  readonly server: UsedRedis;
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly itemKey: ItemKey;
  readonly data: CalculatedData;
  readonly clock: TestClock;
  /** The same structures with other options. */
  with(options: CalculatedDataOptions): CalculatedData;
}

export const TEST_SECRET = 'a secret for tests, and only for them';

/** Starts a Redis for the tests of a file or of a `describe`, as `useRedis` does, with the structures on it. The clock
 *  begins at 2026-03-10 12:00 UTC. */
export function useTestData(options: UseRedisOptions = {}): TestData {
  const server = useRedis(options);
  const { redis } = server;
  const keys = new Keys('sw');
  const itemKey = new ItemKey(TEST_SECRET);
  const clock = { now: Date.UTC(2026, 2, 10, 12) };
  const build = (given: CalculatedDataOptions): CalculatedData =>
    new CalculatedData(redis, keys, itemKey, () => clock.now, { seen: SEEN_ITEMS_DEFAULTS, ...given });
  return { server, redis, keys, itemKey, data: build({}), clock, with: build };
}
