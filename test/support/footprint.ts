import type { RedisConnection } from '../../src/redis/index.ts';

/** What a Redis holds: how many keys, and how many bytes by `MEMORY USAGE`. `counts`: whether a key does; default each. */
export async function footprintOf(
  redis: RedisConnection,
  counts: (key: string) => boolean = () => true,
): Promise<{ readonly keys: number; readonly bytes: number }> {
  const keys = (await redis.command<string[]>('KEYS', '*')).filter(counts);
  const sizes = await Promise.all(keys.map((key) => redis.command<number>('MEMORY', 'USAGE', key, 'SAMPLES', '0')));
  return { keys: keys.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}
