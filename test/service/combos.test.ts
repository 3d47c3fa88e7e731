import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { checkConfig } from '../../src/cli/config/index.ts';
import { SessionClient } from '../../src/index.ts';
import { type Combo, type Service, startService } from '../../src/service/index.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { useRedis } from '../support/use-redis.ts';

/* Combos at their limits: 100 of 50 items, 5,000 items together. */

const SECRET = 'a secret of the tests, long enough';
const made = (combos: number, items: number): Combo[] =>
  Array.from({ length: combos }, (_, c) => ({
    name: `combo-${c}`,
    all: Array.from({ length: items }, (_, i) => `/combo-${c}/page-${i}?q`),
    suggest: `suggestion-${c}`,
    reason: '',
  }));

const server = useRedis({ eachTest: 'kept' });
let proxy: RedisProxy;
let service: Service;
let client: SessionClient;
beforeAll(async () => {
  proxy = await startRedisProxy(server.socketPath);
  service = await startService({ redis: proxy.url, secret: SECRET, combos: made(100, 50), sessions: { sweep: false } });
  client = new SessionClient({ redis: server.url, deadlineMs: 10_000 });
  expect(await client.ready()).toBe(true);
});
afterAll(async () => {
  await client.close();
  await service.stop();
  await proxy.close();
});

/** What one question about all combos costs: round trips, and items that a filter is asked about. */
async function costOf(session: string): Promise<{ held: string[]; trips: number; asked: number }> {
  proxy.reset();
  const held = await client.request('combo', session, '');
  // Another script of the service, a heartbeat, a ping, or a look at the meta record or at merges that fell in between would
  // be counted: then once more.
  const others = ['PING', 'EXISTS', 'async:_instances', 'sw:meta', 'ZRANGEBYSCORE'];
  const isOther = (command: string[]): boolean =>
    command.some((word) => others.includes(word)) ||
    (command[0]!.startsWith('EVAL') && !(command[3] ?? '').includes(session));
  if (proxy.commands('sessionwise-service').some(isOther)) return costOf(session);
  // EVALSHA, the script, the number of keys, the filter.
  const questions = proxy.commands('sessionwise-service').filter(([name]) => name!.startsWith('EVAL'));
  const asked = questions.reduce((sum, question) => sum + question.length - 4, 0);
  // The replies take a write too; it may travel with nothing else.
  return { held: held!.map(({ combo }) => combo), trips: proxy.roundTrips('sessionwise-service') - 1, asked };
}

describe('a question about all combos', () => {
  const three = made(4, 50)[3]!.all;

  it('reads the record, whatever a small session has seen', async () => {
    expect(await costOf('stranger')).toEqual({ held: [], trips: 1, asked: 0 });
    expect(await client.request('mark-item-seen', 'reader', [...three, '/combo-5/page-0'])).toHaveLength(51);
    expect(await costOf('reader')).toEqual({ held: ['combo-3'], trips: 1, asked: 0 });
  });

  it('asks a filter for the first item of each, then for the rest of those whose first was seen', async () => {
    // One of which a filter of 700 takes no first item for seen.
    const session = 'collector-5';
    const others = Array.from({ length: 700 }, (_, i) => `/other-${i}`);
    await client.request('mark-item-seen', session, others);
    expect(await costOf(session)).toEqual({ held: [], trips: 2, asked: 100 });
    await client.request('mark-item-seen', session, [...three, '/combo-5/page-0']);
    expect(await costOf(session)).toEqual({ held: ['combo-3'], trips: 3, asked: 100 + 2 * 49 });
  });

  it('answers who has seen everything, from a filter, and many such questions at once', async () => {
    const session = 'everything';
    for (const { all } of made(100, 50)) await client.request('mark-item-seen', session, all);
    const all = made(100, 50).map(({ name }) => name);
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.request('combo', session, '')));
    for (const answer of answers) expect(answer!.map(({ combo }) => combo)).toEqual(all);
    expect(client.counters.degraded).toEqual({});
  });

  it('of which none has the name is answered with an empty array', async () => {
    expect(await client.request('combo', 'stranger', '1')).toEqual([]);
    expect(await client.request('combo', 'stranger', '__proto__')).toEqual([]);
    expect(await client.request('combo', 'reader', 'combo-3')).toMatchObject([{ combo: 'combo-3' }]);
    expect(client.counters.degraded).toEqual({});
  });
});

describe('combos beyond the limits', () => {
  const wrong: [unknown, RegExp][] = [
    [made(101, 50), /they have 5050 items together, and at most 5000/],
    [made(450, 50), /they have 22500 items together/],
    [made(1_001, 1), /at most 1000 combos/],
    [made(1, 51), /combos\[0\]\.all/],
    [[{ ...made(1, 1)[0], all: [] }], /combos\[0\]\.all/],
    [[...made(1, 1), ...made(1, 1)], /two are called "combo-0"/],
    [[{ ...made(1, 1)[0], all: ['/a', 'http://['] }], /combos\[0\]\.all\[1\]: .*not a valid URL/],
    [[{ ...made(1, 1)[0], all: [7] }], /combos\[0\]\.all\[0\] is no item/],
    [[{ ...made(1, 1)[0], suggest: 7 }], /combos\[0\]/],
    [[null], /combos\[0\]\.name/],
    ['x', /give an array/],
  ];
  it.each(wrong)('are refused at the start, with a sentence (%#)', async (combos, sentence) => {
    const started = startService({ redis: server.url, secret: SECRET, combos: combos as Combo[] });
    started.then(
      ({ stop }) => onTestFinished(() => stop()),
      () => undefined,
    );
    await expect(started).rejects.toThrow(RangeError);
    await expect(started).rejects.toThrow(sentence);
  });

  it('are refused in the configuration, and those at the limit are taken', () => {
    expect(() => checkConfig({ combos: made(101, 50) }, 'x.json')).toThrow(
      expect.objectContaining({
        code: 'CONFIG',
        message: expect.stringMatching(/^x\.json: combos: they have 5050 items/),
      }),
    );
    expect(checkConfig({ combos: made(100, 50) }).combos[7]!.all[3]).toBe('/combo-7/page-3');
    expect(checkConfig({ combos: made(1_000, 5) }).combos).toHaveLength(1_000);
  });
});
