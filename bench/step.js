// One page view as one atomic step: MULTI of native commands (which cannot decide: no filter, no conversion), the
// script that we use, the same body as a Redis function, and the large form with either filter engine.

import { ItemHasher, RETENTION_DEFAULTS, SEEN_ITEMS_DEFAULTS } from '../dist/knowledge/index.js';
import { ItemEncryption } from '../dist/knowledge/item-encryption.js';
import { recordViewScript } from '../dist/knowledge/scripts/record-view.js';
import { Keys } from '../dist/redis/index.js';
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

const SECRET = 'the secret of the benchmark';
const START = Math.floor(Date.now() / 1_000);
const keys = new Keys('sw');

/** The pages of each session as Redis gets them. */
async function encryptedPages() {
  const hashes = new ItemHasher(SECRET, 'sw').ofAll(
    'page',
    Array.from({ length: PAGES }, (_, i) => `/p${i}`),
  );
  const encryption = new ItemEncryption(SECRET, 'sw');
  return Promise.all(Array.from({ length: SESSIONS }, (_, i) => encryption.encrypt(`session${i}`, hashes)));
}

async function stepArguments() {
  const pages = await encryptedPages();
  return (i) => {
    const session = i % SESSIONS;
    const turn = Math.floor(i / SESSIONS);
    const at = START + 60 * (Math.floor(turn / 2) % 60);
    return { session: `session${session}`, page: pages[session][turn % PAGES], at };
  };
}

async function multiStep(redis) {
  const argumentsOf = await stepArguments();
  return (i) => {
    const { session, page, at } = argumentsOf(i);
    const [counters, pages, today] = ['v', 's', 'd'].map((part) => `${keys.subject(session)}${part}`);
    return redis.transaction([
      ['HINCRBY', counters, 'v', '1'],
      ['SADD', pages, page],
      ['SCARD', pages],
      ['BITFIELD', today, 'GET', 'u6', '600', 'SET', 'u1', String(Math.floor(at / 60) % 1_440), '1'],
      ['EXPIRE', counters, '2592000'],
      ['EXPIRE', pages, '2592000'],
      ['EXPIRE', today, '2592000'],
    ]);
  };
}

async function scriptStep(redis, options) {
  const { script } = recordViewScript(options, RETENTION_DEFAULTS);
  const argumentsOf = await stepArguments();
  return (i) => {
    const { session, page, at } = argumentsOf(i);
    return script.run(redis, [keys.subject(session)], [page, String(at), String(at)]);
  };
}

async function functionStep(redis) {
  const { source } = recordViewScript(SEEN_ITEMS_DEFAULTS, RETENTION_DEFAULTS).script;
  await redis.command(
    'FUNCTION',
    'LOAD',
    `#!lua name=sw\nredis.register_function('record', function(KEYS, ARGV)\n${source}\nend)`,
  );
  const argumentsOf = await stepArguments();
  return (i) => {
    const { session, page, at } = argumentsOf(i);
    return redis.command('FCALL', 'record', '1', keys.subject(session), page, String(at), String(at));
  };
}
