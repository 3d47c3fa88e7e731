import { withBenchRedis } from './bench-redis.js';
import { openSubject, seedSessions } from './store-stage.js';

const WARM_UP = 100;

/** Bytes that a session takes in a Redis of its own: `all`, by used_memory, and which of them are strings, indexes and
 *  streams, by MEMORY USAGE. The rest are Redis's tables of keys. A stream is bounded: with more sessions than it keeps
 *  entries its share falls. */
export function bytesPerSession(subject, count) {
  return withBenchRedis(async ({ redis, url }) => {
    const opened = await openSubject(subject, url);
    try {
      // What comes once and not per session: scripts, buffers, and the histograms of latency, 40 KB a command.
      const tokens = await seedSessions(opened.usual, WARM_UP);
      await Promise.all(tokens.map((token) => opened.usual.store.get(token)));
      const before = await usedMemory(redis);
      await seedSessions(opened.usual, count);
      const all = Math.round(((await usedMemory(redis)) - before) / count);
      const share = async (type) => Math.round((await bytesOf(redis, type)) / (WARM_UP + count));
      return { all, strings: await share('string'), indexes: await share('zset'), stream: await share('stream') };
    } finally {
      await opened.close();
    }
  });
}

async function usedMemory(redis) {
  return Number(/^used_memory:(\d+)/m.exec(await redis.command('INFO', 'memory'))[1]);
}

async function bytesOf(redis, type) {
  let sum = 0;
  let cursor = '0';
  do {
    const [next, keys] = await redis.command('SCAN', cursor, 'COUNT', '1000', 'TYPE', type);
    const sizes = await Promise.all(keys.map((key) => redis.command('MEMORY', 'USAGE', key, 'SAMPLES', '0')));
    sum += sizes.reduce((all, size) => all + Number(size), 0);
    cursor = String(next);
  } while (cursor !== '0');
  return sum;
}
