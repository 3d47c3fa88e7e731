import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CANONICAL_COMMANDS, canonicalCommand, personOf } from '../../src/protocol/index.ts';
import { openNamespace, type Service, startService } from '../../src/service/index.ts';
import { ForeignClient } from '../support/foreign-client.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { useRedis } from '../support/use-redis.ts';

/* What a command costs: exactly these commands to Redis, seen on the wire between the service and a real server. Its
 * effects are one EVALSHA, which is one atomic step; reading may take more, and is sent together. */

const COMBOS = [
  { name: 'one', all: ['/a', '/b', 'c'], suggest: '/d', reason: '' },
  { name: 'two', all: ['/a', '/e'], suggest: '/f', reason: '' },
];
const WRITING = [
  'EVALSHA',
  'EVAL',
  'SADD',
  'HSET',
  'SET',
  'SETBIT',
  'EXPIRE',
  'PFADD',
  'ZADD',
  'DEL',
  'HINCRBY',
  'INCR',
];

const server = useRedis({ eachTest: 'kept' });
let proxy: RedisProxy;
let service: Service;
let foreign: ForeignClient;

beforeAll(async () => {
  proxy = await startRedisProxy(server.socketPath);
  // A sweep of sessions, every two seconds, would be counted.
  const sessions = { sweep: false };
  const secret = 'a secret of the tests, long enough';
  service = await startService({ redis: proxy.url, secret, combos: COMBOS, sessions });
  foreign = await ForeignClient.connect(server.url);
  const namespace = await openNamespace({ redis: server.url, secret });
  for (const group of ['g', 'h']) await namespace.knowledge.noticeLists.publish(group, { id: group, text: '' });
  await namespace.redis.close();
  // More than a record holds.
  await Promise.all(Array.from({ length: 600 }, (_, i) => foreign.ask('pageview', 'large', `/p${i}`)));
  const warm = await openWarm();
  for (const [command, payload] of warm) {
    for (const session of ['small', 'large']) await foreign.ask(command, session, payload);
  }
});
afterAll(async () => {
  await foreign?.close();
  await service?.stop();
  await proxy?.close();
});

/** Every script is known to the server once these were asked. */
async function openWarm(): Promise<[string, unknown][]> {
  return [
    ['pageview', '/a'],
    ['active', ''],
    ['session-analytics', ''],
    ['combo', ''],
    ['surface', ['/a', 'b']],
    ['notifications', ['a']],
    ['notifications', { groups: ['g', 'h'] }],
    ['mark-notification-seen', 'a'],
    ['mark-item-seen', 'b'],
  ];
}

interface Cost {
  readonly commands: string[];
  readonly roundTrips: number;
}

/** What the service sends to Redis while it serves one request, its reply included. */
async function costOf(ask: () => Promise<unknown>): Promise<Cost> {
  for (;;) {
    proxy.reset();
    await ask();
    const sent = proxy.commands('sessionwise-service');
    // A heartbeat, a ping, a look at reply lists, at the meta record or at merges that fell in between would be counted:
    // then once more.
    const others = ['PING', 'EXISTS', 'async:_instances', 'sw:meta', 'sw:@lease:merge', 'ZRANGEBYSCORE'];
    if (sent.some((command) => command.some((word) => others.includes(word)))) continue;
    return { commands: sent.map(([name]) => name!), roundTrips: proxy.roundTrips('sessionwise-service') };
  }
}

describe.each(['small', 'large'])('round trips of the service for a session that is %s', (session) => {
  // The record, whatever is asked; its pages have become a filter and a count where there are many.
  const large = session === 'large';
  const read = large ? ['GET', 'EVALSHA'] : ['GET'];
  const trips = large ? 2 : 1;
  const costs: [string, unknown, string[], number][] = [
    ['pageview', '/a', ['EVALSHA'], 1],
    ['pageview', `/new-${session}`, ['EVALSHA'], 1],
    ['pageview', { path: '/a', once: 'any' }, ['EVALSHA'], 1],
    ['active', '', ['EVALSHA'], 1],
    ['session-analytics', '', large ? ['GET', 'PFCOUNT'] : ['GET'], trips],
    ['session-analytics', { here: '/a' }, large ? ['GET', 'PFCOUNT', 'EVALSHA'] : ['GET'], trips],
    ['surface', ['/a', '/b', '/c'], read, trips],
    ['surface', ['/a', 'b'], read, trips],
    ['combo', '', read, trips],
    ['notifications', ['a', 'b', 3], ['HGETALL', 'HGETALL', 'HGETALL', 'GET', 'ZMSCORE'], 3],
    // The lists were read before, and nothing was published since.
    ['notifications', { groups: ['g', 'h'] }, ['HGET', 'HGET', 'GET', 'HMGET'], 2],
    ['mark-notification-seen', ['a', 'b'], ['HGETALL', 'HGETALL', 'EVALSHA'], 2],
    ['mark-item-seen', ['b', 'c', 'd'], ['EVALSHA'], 1],
    [
      'together',
      [
        ['session-analytics', ''],
        ['surface', ['/a', 'b']],
      ],
      large ? ['GET', 'PFCOUNT', 'EVALSHA'] : ['GET'],
      trips,
    ],
    [
      'together',
      [
        ['pageview', '/a'],
        ['surface', ['/a', 'b']],
      ],
      ['EVALSHA', ...read],
      1 + trips,
    ],
  ];

  it('are known of each command', () => {
    // identify has two costs of its own: below.
    const commands = new Set(['identify', ...costs.map(([command]) => canonicalCommand(command))]);
    expect([...commands].sort()).toEqual([...CANONICAL_COMMANDS].sort());
  });

  it.each(costs)('%s %j', async (command, payload, commands, roundTrips) => {
    // Where it is asked once more, under another name: else it would be a repeat.
    let tries = 0;
    const named = (): unknown =>
      typeof payload === 'object' && payload !== null && 'once' in payload
        ? { ...payload, once: `${session}-${tries++}` }
        : payload;
    const cost = await costOf(() => foreign.ask(command, session, named()));
    // Behind its work stands the reply, which is an inbox message here.
    expect(cost).toEqual({ commands: [...commands, 'PUBLISH'], roundTrips: roundTrips + 1 });
    if (command === 'pageview' || command.startsWith('mark-')) {
      expect(commands.filter((name) => WRITING.includes(name))).toEqual(['EVALSHA']);
    }
  });
});

describe('the round trips of identify', () => {
  it('are four scripts where something is merged, and one where it was before', async () => {
    // The scripts are known then.
    await foreign.ask('identify', personOf('warm'), 'warm');
    const person = personOf('ada');
    for (let i = 0; i < 20; i += 1) await foreign.ask('pageview', `device-${i}`, '/a');
    // Claim, look, push, settle. Another device at each try.
    let tries = 0;
    const first = await costOf(() => foreign.ask('identify', person, `device-${tries++}`));
    const again = await costOf(() => foreign.ask('identify', person, 'device-0'));
    expect([first, again]).toEqual([
      { commands: [...Array.from({ length: 4 }, () => 'EVALSHA'), 'PUBLISH'], roundTrips: 5 },
      { commands: ['EVALSHA', 'PUBLISH'], roundTrips: 2 },
    ]);
  });
});

describe('the round trips of a reply', () => {
  it('to a list is one transaction in one round trip', async () => {
    const cost = await costOf(() => foreign.askByList('mark-item-seen', 'small', 'b'));
    expect(cost).toEqual({ commands: ['EVALSHA', 'MULTI', 'LPUSH', 'PEXPIRE', 'EXEC'], roundTrips: 2 });
  });

  it('that nobody wants is none', async () => {
    const before = (await foreign.ask('session-analytics', 'small', '')) as { totalPages: number };
    const cost = await costOf(async () => {
      const ask = foreign.publish('pageview', 'small', '_1', '/a');
      await ask;
      // The next request is served behind it.
      await foreign.ask('mark-item-seen', 'small', []);
    });
    expect(cost.commands.sort()).toEqual(['EVALSHA', 'PUBLISH']);
    expect(await foreign.ask('session-analytics', 'small', '')).toMatchObject({
      totalPages: expect.toSatisfy((total: number) => total > before.totalPages),
    });
  });

  it('to a payload that is refused costs nothing but itself', async () => {
    expect((await costOf(() => foreign.ask('surface', 'small', 'x'))).commands).toEqual(['PUBLISH']);
    expect((await costOf(() => foreign.ask('surface', 'small', []))).commands).toEqual(['PUBLISH']);
  });
});

describe('the round trips of many requests', () => {
  it('share round trips', async () => {
    const cost = await costOf(() =>
      Promise.all(Array.from({ length: 200 }, (_, i) => foreign.ask('pageview', `s${i}`, '/a'))),
    );
    expect(cost.commands.filter((name) => name === 'EVALSHA')).toHaveLength(200);
    const replies = cost.commands.filter((name) => name === 'PUBLISH').length;
    expect(replies).toBeLessThan(100);
    expect(cost.commands).toHaveLength(200 + replies);
    expect(cost.roundTrips).toBeLessThan(100);
  });

  it('read records and lists together, and answer together', async () => {
    const questions = [
      ['surface', ['/a', 'b']],
      ['notifications', { groups: ['g', 'h'] }],
    ];
    const cost = await costOf(() =>
      Promise.all(Array.from({ length: 200 }, (_, i) => foreign.ask('together', `s${i}`, questions))),
    );
    // None has read a notice, so nobody's rings are read.
    expect(cost.commands).toContain('MGET');
    expect(cost.commands).not.toContain('HMGET');
    expect(cost.commands.length).toBeLessThan(100);
  });
});
