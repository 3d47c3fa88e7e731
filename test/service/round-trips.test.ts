import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CANONICAL_COMMANDS, canonicalCommand, personOf } from '../../src/protocol/index.ts';
import { openNamespace, type Service, startService } from '../../src/service/index.ts';
import { ForeignClient } from '../support/foreign-client.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { useRedis } from '../support/use-redis.ts';

/* What a command costs: exactly these commands to Redis, seen on the wire between the service and a real server. Its
 * effects are one EVALSHA, which is one atomic step; reading may take more, and is sent together. */

// Of pages and items that nobody sees here: what begins to hold is told, which new-suggestions.test.ts counts.
const SUGGESTIONS = [
  {
    name: 'one',
    when: { all: [{ seen: '/of-one' }, { seen: '/of-one-too' }, { seen: 'of-one' }] },
    suggest: '/d',
    reason: '',
  },
  { name: 'two', when: { all: [{ seen: '/of-one' }, { seen: '/of-two' }] }, suggest: '/f', reason: '' },
];
const SEGMENTS = { lovers: { any: [{ seen: '/a' }, { cluster: 'a' }] }, old: { daysSinceFirstView: 3 } };
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

/** Of the catalog of segments and of two lists the revisions, the record, what was done with the notices. */
const LISTED = ['HGET', 'HGET', 'HGET', 'GET', 'HMGET'];
/** Where two notices stand, whether the visitor has some of its own, the mark. */
const MARKED = ['HGETALL', 'HGETALL', 'GET', 'HMGET', 'EVALSHA'];

/** Where it stands, the step, its place, whether it stands there, and its list anew. */
const PUBLISHED_AGAIN = ['HGETALL', 'HGET', 'EVALSHA', 'EVALSHA', 'HGETALL', 'HGET'];

const server = useRedis({ eachTest: 'kept' });
let proxy: RedisProxy;
let service: Service;
let foreign: ForeignClient;

beforeAll(async () => {
  proxy = await startRedisProxy(server.socketPath);
  // A sweep of sessions, every two seconds, would be counted.
  const sessions = { sweep: false };
  const secret = 'a secret of the tests, long enough';
  service = await startService({
    redis: proxy.url,
    secret,
    clusters: { a: ['/a/*'] },
    suggestions: SUGGESTIONS,
    segments: SEGMENTS,
    sessions,
  });
  foreign = await ForeignClient.connect(server.url);
  const namespace = await openNamespace({ redis: server.url, secret });
  const { lists } = namespace.knowledge.notices;
  for (const name of ['g', 'h']) await lists.publish({ kind: 'group', name }, { id: name, text: 'T' });
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
    ['segments', ''],
    ['surface', ['/a', 'b']],
    ['notifications', ['a']],
    ['notices', { groups: ['g', 'h'] }],
    ['notice-counts', { groups: ['g', 'h'] }],
    ['mark-notices', { ids: ['g', 'a'], as: 'read' }],
    ['mute-groups', { mute: ['muted'] }],
    ['publish-notice', { to: { group: 'k' }, id: 'k', text: 'T' }],
    ['publish-notice', { to: { subject: 'warm' }, id: 'own', text: 'T' }],
    ['publish-notice', { to: { group: 'e' }, id: 'edited', text: 'T' }],
    ['edit-notice', { id: 'edited', text: 'U' }],
    ['withdraw-notice', { id: 'k' }],
    ['set-group', { group: 'k', join: 'all' }],
    ['list-notices', { of: { group: 'g' } }],
    ['notice-stats', ['g']],
    ['live', { groups: ['g', 'h'] }],
    ['mark-notification-seen', 'a'],
    ['mark-item-seen', 'b'],
    ['track', { event: 'bought' }],
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
    // A heartbeat, a ping, a look at reply lists, at the meta record or at merges, or counts of rules or of the site that fell in
    // between would be counted: then once more.
    const others = [
      'PING',
      'EXISTS',
      'async:_instances',
      'async:_figures',
      'sw:meta',
      'sw:@lease:merge',
      'ZRANGEBYSCORE',
      'sw:@rules',
    ];
    const isOther = (word: string): boolean =>
      others.includes(word) || word.includes(':@segment:') || word.includes(':@site:');
    if (sent.some((command) => command.some(isOther))) continue;
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
    ['combo', { explain: true, here: '/a', groups: ['g'] }, read, trips],
    ['segments', '', read, trips],
    ['segments', { names: ['old'] }, ['GET'], 1],
    ['notifications', ['a', 'b', 3], ['HGETALL', 'HGETALL', 'HGETALL', 'GET', 'HMGET', 'ZMSCORE'], 3],
    // The lists were read before, and nothing was published since. No segment has a list.
    ['notices', { groups: ['g', 'h'] }, LISTED, 3],
    ['notice-counts', { groups: ['g', 'h'] }, LISTED, 3],
    ['live', { groups: ['g', 'h'] }, LISTED, 3],
    ['mark-notices', { ids: ['g', 'a'], as: 'read' }, [...MARKED, 'XADD'], 4],
    ['mark-notices', { ids: ['a', 'b'], as: 'read' }, MARKED, 3],
    ['mute-groups', { unmute: ['g'] }, ['EVALSHA', 'XADD'], 2],
    // What is there already is not published again.
    ['publish-notice', { to: { group: 'g' }, id: 'g', text: 'T' }, PUBLISHED_AGAIN, 6],
    ['edit-notice', { id: 'edited', text: 'T' }, ['HGETALL', 'HGET', 'HGET', 'EVALSHA', 'XADD'], 5],
    ['withdraw-notice', { id: 'nobody' }, ['HGETALL'], 1],
    ['set-group', { group: 'k', join: 'all' }, ['EVALSHA'], 1],
    ['list-notices', { of: { group: 'g' } }, ['HGET'], 1],
    ['notice-stats', ['g', 'h'], ['PFCOUNT', 'PFCOUNT', 'PFCOUNT', 'PFCOUNT'], 1],
    ['mark-notification-seen', ['a', 'b'], MARKED, 3],
    ['mark-item-seen', ['b', 'c', 'd'], ['EVALSHA'], 1],
    ['track', { event: 'bought', items: ['/a', 'b'] }, ['EVALSHA'], 1],
    ['mark-suggestions', { rules: ['one', 'two'], as: 'shown' }, ['EVALSHA'], 1],
    // Written with the other counts of the second.
    ['robots', { refused: 2 }, [], 0],
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
        ['session-analytics', ''],
        ['notice-counts', { groups: ['g', 'h'] }],
      ],
      // A page that asks for its badge too: one message, and the record is read once.
      large ? ['HGET', 'GET', 'HGET', 'HGET', 'PFCOUNT', 'HMGET'] : ['HGET', 'GET', 'HGET', 'HGET', 'HMGET'],
      2,
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
        : command === 'edit-notice'
          ? { ...(payload as object), text: `T${tries++} ${session}` }
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
      // The event tells open streams of the visitor.
      { commands: [...Array.from({ length: 4 }, () => 'EVALSHA'), 'XADD', 'PUBLISH'], roundTrips: 6 },
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
      ['notices', { groups: ['g', 'h'] }],
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
