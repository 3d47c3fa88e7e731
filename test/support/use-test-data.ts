import { type ItemHash, Knowledge, type KnowledgeOptions, SEEN_ITEMS_DEFAULTS } from '../../src/knowledge/index.ts';
import { Keys, type RedisConnection } from '../../src/redis/index.ts';
import { type UsedRedis, type UseRedisOptions, useRedis } from './use-redis.ts';

/** A clock that stands still until it is told. */
export interface TestClock {
  now: number;
}

/** What is known, over the Redis of the running test. */
export interface TestData {
  readonly server: UsedRedis;
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly knowledge: Knowledge;
  readonly clock: TestClock;
  /** Hashes of pages. */
  pages(...names: string[]): ItemHash[];
  /** Another one over the same keys, with other options. */
  with(options: KnowledgeOptions): Knowledge;
}

export const TEST_SECRET = 'a secret for tests, and only for them';

/** Starts a Redis for the tests of a file or of a `describe`, as `useRedis` does, with `Knowledge` on it. The clock begins
 *  at 2026-03-10 12:00 UTC. */
export function useTestData(options: UseRedisOptions = {}): TestData {
  const server = useRedis(options);
  const { redis } = server;
  const keys = new Keys('sw');
  const clock = { now: Date.UTC(2026, 2, 10, 12) };
  const build = (given: KnowledgeOptions): Knowledge =>
    new Knowledge(redis, keys, TEST_SECRET, () => clock.now, { seen: SEEN_ITEMS_DEFAULTS, ...given });
  const knowledge = build({});
  const pages = (...names: string[]): ItemHash[] => knowledge.items.ofAll('page', names);
  return { server, redis, keys, knowledge, clock, pages, with: build };
}
