// The two engines of the seen filter: a filter that grows to 10,000 items, then 100 candidates asked at once.
import { ItemKey, SeenFilter } from '../dist/structures/index.js';
import { measure, redisCpu, withBenchRedis } from './bench-redis.js';

export async function benchFilter({ smoke }) {
  const items = smoke ? 200 : 10_000;
  const asks = smoke ? 20 : 5_000;
  const bloom = process.env.SESSIONWISE_TEST_BLOOM_REDIS;
  const rows = {};
  for (const [engine, serverPath] of [['portable'], ...(bloom ? [['native', bloom]] : [])]) {
    rows[engine] = await withBenchRedis(async ({ redis }) => {
      const filter = new SeenFilter(redis, engine);
      const itemKey = new ItemKey('the secret of the benchmark');
      const before = await redisCpu(redis);
      for (let i = 0; i < items; i += 1) await filter.add('filter', [itemKey.of('item', `i${i}`)]);
      const addCpu = ((await redisCpu(redis)) - before) / items;
      const candidates = Array.from({ length: 100 }, (_, i) => itemKey.of('item', i % 2 ? `i${i}` : `absent${i}`));
      const bytes = await redis.command('MEMORY', 'USAGE', 'filter');
      await redis.command('DEL', 'small');
      await filter.add('small', candidates.slice(0, 80));
      const once = (key) => measure(redis, { count: asks, inFlight: 16, once: () => filter.has(key, candidates) });
      const small = await once('small');
      const large = await once('filter');
      return {
        'add us (1 to all)': Number(addCpu.toFixed(1)),
        '100 of a small one us': small['Redis CPU us'],
        '100 of all us': large['Redis CPU us'],
        bytes,
      };
    }, serverPath);
  }
  return rows;
}
