// One page view as one atomic step: MULTI of native commands (which cannot decide: no filter, no conversion), the
// script that we use, the same body as a Redis function, and the large form with either filter engine.

import { Keys } from '../dist/redis/index.js';
import { ItemKey, recordVisitScript, SEEN_ITEMS_DEFAULTS } from '../dist/structures/index.js';
import { measure, withBenchRedis } from './bench-redis.js';

const SESSIONS = 2000;
const PAGES = 12;
const IN_FLIGHT = 64;

export async function benchStep({ smoke }) {
  const count = smoke ? 500 : 120_000;
  const bloom = process.env.SESSIONWISE_TEST_BLOOM_REDIS;
  const rows = {};
  const run = async (name, variant, serverPath) => {
    rows[name] = await withBenchRedis(async ({ redis }) => {
      const step = await variant(redis);
      await measure(redis, { count: Math.min(count, SESSIONS * 3), inFlight: IN_FLIGHT, once: step });
      return measure(redis, { count, inFlight: IN_FLIGHT, once: step });
    }, serverPath);
  };
  await run('PING', (redis) => () => redis.command('PING'));
  await run('MULTI, no filter', multiStep);
  await run('script, small form', (redis) => scriptStep(redis, SEEN_ITEMS_DEFAULTS));
  await run('function, small form', functionStep);
  await run('script, large form, portable', (redis) => scriptStep(redis, { ...SEEN_ITEMS_DEFAULTS, exactLimit: 0 }));
  if (bloom) {
    const native = { ...SEEN_ITEMS_DEFAULTS, exactLimit: 0, engine: 'native' };
    await run('script, large form, native', (redis) => scriptStep(redis, native), bloom);
  }
  return rows;
}

const keys = new Keys('sw');
const itemKey = new ItemKey('the secret of the benchmark');

function stepArguments(i) {
  const session = `session${i % SESSIONS}`;
  const page = itemKey.of('page', `/p${Math.floor(i / SESSIONS) % PAGES}`);
  const minute = String(600 + (Math.floor(i / SESSIONS / 2) % 60));
  const [counters, pages, unique, ...others] = keys.all(session);
  return {
    page,
    minute,
    keys: [counters, pages, unique, keys.activity(session, 20_000), keys.activity(session, 19_999), ...others],
    args: [page, keys.activity(session), '20000', minute, '2592000', '1800'],
  };
}

function multiStep(redis) {
  return (i) => {
    const {
      page,
      minute,
      keys: [counters, pages, , today],
    } = stepArguments(i);
    return redis.transaction([
      ['HINCRBY', counters, 'v', '1'],
      ['SADD', pages, page],
      ['SCARD', pages],
      ['BITFIELD', today, 'GET', 'u6', String(Number(minute) - 5), 'SET', 'u1', minute, '1'],
      ['EXPIRE', counters, '2592000'],
      ['EXPIRE', pages, '2592000'],
      ['EXPIRE', today, '2592000'],
    ]);
  };
}

function scriptStep(redis, options) {
  const { script } = recordVisitScript(options);
  return (i) => {
    const { keys: names, args } = stepArguments(i);
    return script.run(redis, names, args);
  };
}

async function functionStep(redis) {
  const { source } = recordVisitScript(SEEN_ITEMS_DEFAULTS).script;
  await redis.command(
    'FUNCTION',
    'LOAD',
    `#!lua name=sw\nredis.register_function('record', function(KEYS, ARGV)\n${source}\nend)`,
  );
  return (i) => {
    const { keys: names, args } = stepArguments(i);
    return redis.command('FCALL', 'record', String(names.length), ...names, ...args);
  };
}
