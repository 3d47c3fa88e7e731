import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { personOf } from '../../src/protocol/index.ts';
import { type Service, type SuggestionRule, startService } from '../../src/service/index.ts';
import { ForeignClient } from '../support/foreign-client.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { useRedis } from '../support/use-redis.ts';

/* What rules cost in commands to Redis, and what they answer at their limits: 200 rules, and 4,998 conditions. */

const SECRET = 'a secret of the tests, long enough';
const rulesOf = (count: number, items: number): SuggestionRule[] =>
  Array.from({ length: count }, (_, c) => ({
    name: `rule-${c}`,
    when: { all: Array.from({ length: items }, (_, i) => ({ seen: `/rule-${c}/page-${i}?q` })) },
    suggest: `thing-${c}`,
  }));
const itemsOf = (rule: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `/rule-${rule}/page-${i}`);

const server = useRedis({ eachTest: 'kept' });
let proxy: RedisProxy;
let service: Service;
let client: SessionClient;
let foreign: ForeignClient;
beforeAll(async () => {
  proxy = await startRedisProxy(server.socketPath);
  service = await startService({ redis: proxy.url, secret: SECRET, sessions: { sweep: false } });
  client = new SessionClient({ redis: server.url, deadlineMs: 30_000 });
  foreign = await ForeignClient.connect(server.url);
  expect(await client.ready()).toBe(true);
});
afterAll(async () => {
  await client.close();
  await foreign.close();
  await service.stop();
  await proxy.close();
});

/** What one question costs: round trips, commands, and items that a filter is asked about. */
async function costOf(ask: () => Promise<unknown>, session: string) {
  for (;;) {
    proxy.reset();
    const reply = await ask();
    const sent = proxy.commands('sessionwise-service');
    // Another script of the service, a heartbeat, a ping, a look at the meta record or at merges, or counts of rules that
    // fell in between would be counted: then once more.
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
    const isOther = (command: string[]): boolean =>
      command.some((word) => others.includes(word) || word.includes(':@segment:')) ||
      (command[0]!.startsWith('EVAL') && !(command[3] ?? '').includes(session));
    if (sent.some(isOther)) continue;
    // EVALSHA, the script, the number of keys, the filter.
    const asked = sent.filter(([name]) => name!.startsWith('EVAL')).reduce((sum, each) => sum + each.length - 4, 0);
    // The reply takes a write too; it may travel with nothing else.
    return { reply, asked, trips: proxy.roundTrips('sessionwise-service') - 1, commands: sent.map(([name]) => name!) };
  }
}

const suggestedTo = (session: string, query: string | object = '') =>
  costOf(() => client.request('combo', session, query as ''), session).then(({ reply, ...cost }) => ({
    held: (reply as { rule: string }[]).map(({ rule }) => rule),
    trips: cost.trips,
    asked: cost.asked,
  }));

describe('a question about 200 rules of all kinds', () => {
  const kinds: SuggestionRule['when'][] = [
    { all: [{ seen: '/a' }, { event: 'bought', withinDays: 7 }, { not: { seen: '/b' } }] },
    { any: [{ cluster: 'tv', atLeast: 3 }, { views: 9 }, { segment: 'old' }] },
    { all: [{ returning: true }, { uniquePages: 2 }, { group: 'vip' }, { inactive: true }, { identified: true }] },
    { all: [{ newToSite: true }, { activeMinutes: 3 }, { event: 'bought', item: '/a' }] },
  ];

  it('sends nothing to Redis that no rule would not send: one read of the record', async () => {
    await foreign.ask('pageview', 'visitor', '/a');
    await foreign.ask('track', 'visitor', { event: 'bought', items: ['/a'] });
    service.setRules({});
    const none = await costOf(() => foreign.ask('session-analytics', 'visitor', ''), 'visitor');
    service.setRules({
      clusters: { tv: ['/tv/*'] },
      segments: { old: { daysSinceFirstView: 30 } },
      suggestions: Array.from({ length: 200 }, (_, i) => ({
        name: `rule-${i}`,
        when: kinds[i % kinds.length]!,
        suggest: 'x',
        show: { atMost: 3, perDays: 7 },
        cooldown: 2,
      })),
    });
    for (const query of ['', { explain: true }, { here: '/tv/1', groups: ['vip'] }]) {
      const { commands, trips } = await costOf(() => foreign.ask('combo', 'visitor', query), 'visitor');
      expect(commands).toEqual(none.commands);
      expect(trips).toBe(none.trips);
    }
    const page = [
      ['session-analytics', ''],
      ['combo', { here: '/tv/1' }],
      ['segments', ''],
    ];
    const whole = await costOf(() => foreign.ask('together', 'visitor', page), 'visitor');
    expect(whole.commands).toEqual(none.commands);
    expect(whole.reply).toMatchObject([{ totalPages: 1 }, { length: 50 }, { old: false }]);
  });
});

describe('rules of 4,998 conditions', () => {
  beforeAll(() => service.setRules({ suggestions: rulesOf(98, 50) }));

  it('read the record, whatever a small session has seen', async () => {
    expect(await suggestedTo('stranger')).toEqual({ held: [], trips: 1, asked: 0 });
    await client.request('mark-item-seen', 'reader', [...itemsOf(3, 50), ...itemsOf(5, 1)]);
    expect(await suggestedTo('reader')).toEqual({ held: ['rule-3'], trips: 1, asked: 0 });
  });

  it('ask a filter for the first item of each, then for the rest of those whose first was seen', async () => {
    // One of which a filter of 700 takes no first item for seen.
    const session = 'collector-5';
    const others = Array.from({ length: 700 }, (_, i) => `/other-${i}`);
    await client.request('mark-item-seen', session, others);
    expect(await suggestedTo(session)).toEqual({ held: [], trips: 2, asked: 98 });
    await client.request('mark-item-seen', session, [...itemsOf(3, 50), ...itemsOf(5, 1)]);
    expect(await suggestedTo(session)).toEqual({ held: ['rule-3'], trips: 3, asked: 98 + 2 * 49 });
    expect(await suggestedTo(session, 'rule-5')).toEqual({ held: [], trips: 2, asked: 50 });
    // To explain it, all that it asks about.
    const explained = await costOf(() => foreign.ask('combo', session, { name: 'rule-9', explain: true }), session);
    expect(explained.asked).toBe(50);
    expect(explained.reply).toMatchObject({
      suggestions: [],
      rules: [{ holds: false, explanation: { text: expect.stringMatching(/^\d of 50 hold, all must$/) } }],
    });
  });

  it('answer who has seen everything, from a filter, and many such questions at once', async () => {
    const session = 'everything';
    const all = Array.from({ length: 98 }, (_, rule) => rule);
    for (const rule of all) await client.request('mark-item-seen', session, itemsOf(rule, 50));
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.request('combo', session, '')));
    for (const answer of answers) {
      expect((answer as { rule: string }[]).map(({ rule }) => rule)).toEqual(all.map((rule) => `rule-${rule}`));
    }
    expect(client.counters.degraded).toEqual({});
  });

  it('of which none has the name are answered with an empty array', async () => {
    expect(await client.request('combo', 'stranger', '1')).toEqual([]);
    expect(await client.request('combo', 'stranger', '__proto__')).toEqual([]);
    expect(await foreign.ask('combo', 'stranger', { name: 'none', explain: true })).toEqual({
      suggestions: [],
      rules: [],
      segments: {},
    });
    expect(await client.request('combo', 'reader', 'rule-3')).toMatchObject([{ rule: 'rule-3' }]);
    expect(client.counters.degraded).toEqual({});
  });
});

describe('an explanation', () => {
  beforeAll(() =>
    service.setRules({
      clusters: { tv: ['/tv/*'] },
      segments: { buyer: { event: 'bought', atLeast: 2, withinDays: 7 }, none: { group: 'none' } },
      suggestions: [
        {
          name: 'mount',
          when: { all: [{ cluster: 'tv', atLeast: 3 }, { segment: 'buyer' }, { event: 'added', item: '/tv/1' }] },
          unless: { seen: '/added/mount' },
          suggest: 'A mount',
          reason: 'It is heavy.',
          priority: -1,
          show: { atMost: 1, perDays: 7 },
        },
        { name: 'hello', when: { all: [{ newToSite: true }, { not: { identified: true } }] }, suggest: 'Hello' },
      ],
    }),
  );

  it('says of a rule that did not fire what is missing, and by how much', async () => {
    const session = 'explained';
    await foreign.ask('pageview', session, '/tv/1');
    await foreign.ask('track', session, { event: 'bought' });
    const asked = { name: 'mount', explain: true, here: '/tv/2' };
    expect(await foreign.ask('combo', session, asked)).toEqual({
      suggestions: [],
      rules: [
        {
          rule: 'mount',
          holds: false,
          shown: false,
          explanation: {
            holds: false,
            text: '1 of 2 hold, all must',
            all: [
              {
                holds: false,
                text: '0 of 3 hold, all must',
                all: [
                  { holds: false, text: 'viewed 2 of 3 pages of /tv/*', cluster: 'tv', atLeast: 3, count: 2 },
                  { holds: false, text: 'is not in the segment buyer', segment: 'buyer' },
                  {
                    holds: false,
                    text: 'added with /tv/1 happened 0 of 1 times',
                    event: 'added',
                    item: '/tv/1',
                    atLeast: 1,
                    count: 0,
                  },
                ],
              },
              {
                holds: true,
                text: 'must not hold, and does not',
                not: { holds: false, text: 'has not seen /added/mount', seen: '/added/mount' },
              },
            ],
          },
        },
      ],
      segments: {
        buyer: {
          holds: false,
          text: 'bought happened 1 of 2 times within 7 days',
          event: 'bought',
          atLeast: 2,
          withinDays: 7,
          count: 1,
        },
      },
    });
    await foreign.ask('track', session, { event: 'bought' });
    await foreign.ask('track', session, { event: 'added', items: ['/tv/1?from=mail'] });
    await foreign.ask('pageview', session, '/tv/2');
    expect(await foreign.ask('combo', session, '')).toEqual([]);
    expect(await foreign.ask('combo', session, { here: '/tv/3' })).toEqual([
      { rule: 'mount', suggest: 'A mount', because: ['tv', 'bought', 'added', '/tv/1'], reason: 'It is heavy.' },
    ]);
    await foreign.ask('mark-suggestions', session, { rules: ['mount'], as: 'shown' });
    expect(await foreign.ask('combo', session, { ...asked, here: '/tv/3' })).toMatchObject({
      suggestions: [],
      rules: [{ holds: true, shown: false, hidden: 'was shown once within 7 days, 1 at most' }],
    });
  });

  it('is of whom it is asked: a stranger, a person, a page with groups', async () => {
    const hello = { name: 'hello', explain: true };
    expect(await foreign.ask('combo', 'nobody', hello)).toMatchObject({
      suggestions: [{ rule: 'hello', because: [] }],
    });
    expect(await foreign.ask('combo', personOf('ada'), hello)).toMatchObject({
      suggestions: [],
      rules: [
        { explanation: { all: [{ holds: true }, { holds: false, not: { text: 'is a person who is logged in' } }] } },
      ],
    });
    expect(await foreign.ask('segments', 'nobody', { groups: ['none'] })).toEqual({ buyer: false, none: true });
    expect(await foreign.ask('segments', 'nobody', { names: ['none', 'unknown'] })).toEqual({
      none: false,
      unknown: false,
    });
  });
});

describe('rules that are replaced', () => {
  it('answer each question by one of them, and by the new ones from then on', async () => {
    const named = (name: string) => ({
      segments: { [`of-${name}`]: { seen: '/p' } },
      suggestions: Array.from({ length: 20 }, (_, i) => ({
        name: `${name}-${i}`,
        when: { segment: `of-${name}` },
        suggest: name,
      })),
    });
    service.setRules(named('old'));
    await foreign.ask('pageview', 'asking', '/p');
    const answers: Promise<unknown>[] = [];
    for (let i = 0; i < 40; i += 1) {
      answers.push(...Array.from({ length: 25 }, () => client.request('combo', 'asking', '')));
      service.setRules(named(i % 2 === 0 ? 'new' : 'old'));
      await client.request('combo', 'asking', 'none');
    }
    const seen = new Set<string>();
    for (const answer of (await Promise.all(answers)) as { suggest: string }[][]) {
      const names = new Set(answer.map(({ suggest }) => suggest));
      expect([answer.length, names.size]).toEqual([20, 1]);
      for (const name of names) seen.add(name);
    }
    expect([...seen].sort()).toEqual(['new', 'old']);
    service.setRules(named('last'));
    expect(await foreign.ask('segments', 'asking', '')).toEqual({ 'of-last': true });
  });

  it('stay where the new ones cannot be used, and the error says the place', async () => {
    service.setRules({ segments: { kept: { views: 1 } } });
    const wrong = { segments: { a: { segment: 'b' }, b: { all: [{ segment: 'c' }] }, c: { segment: 'a' } } };
    expect(() => service.setRules(wrong)).toThrow('segments.a asks itself: a -> b -> c -> a.');
    expect(() =>
      service.setRules({ suggestions: [{ name: 'x', when: { sen: '/a' } as never, suggest: 'y' }] }),
    ).toThrow('suggestions[0].when.sen is unknown: did you mean "seen"?');
    expect(await foreign.ask('segments', 'stranger', '')).toEqual({ kept: false });
  });

  it('are refused at the start too', async () => {
    const started = startService({ redis: server.url, secret: SECRET, suggestions: [{}] as never });
    await expect(started).rejects.toThrow(RangeError);
    await expect(started).rejects.toThrow(/^suggestions\[0\]\.name cannot be used/);
  });
});
