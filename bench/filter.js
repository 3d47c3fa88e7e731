// The two engines of the seen filter: a filter that grows to 10,000 items, then 100 candidates asked at once.
import { ItemEncryption } from '../dist/knowledge/item-encryption.js';
import { ItemHasher } from '../dist/knowledge/item-hash.js';
import { SeenFilter } from '../dist/knowledge/seen-filter.js';
import { measure, redisCpu, withBenchRedis } from './bench-redis.js';

export async function benchFilter({ smoke }) {
  const count = smoke ? 200 : 10_000;
  const asks = smoke ? 20 : 5_000;
  const bloom = process.env.SESSIONWISE_TEST_BLOOM_REDIS;
  const rows = {};
  for (const [engine, serverPath] of [['portable'], ...(bloom ? [['native', bloom]] : [])]) {
    rows[engine] = await withBenchRedis(async ({ redis }) => {
      const filter = new SeenFilter(redis, engine);
      const items = await itemsOf(Array.from({ length: count }, (_, i) => `i${i}`));
      const before = await redisCpu(redis);
      for (const item of items) await filter.add('filter', [item]);
      const addCpu = ((await redisCpu(redis)) - before) / count;
      const candidates = await itemsOf(Array.from({ length: 100 }, (_, i) => (i % 2 ? `i${i}` : `absent${i}`)));
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

const SECRET = 'the secret of the benchmark';

/** Items as Redis holds them of one subject. */
function itemsOf(names) {
  return new ItemEncryption(SECRET, 'sw').encrypt('subject', new ItemHasher(SECRET, 'sw').ofAll('item', names));
}
