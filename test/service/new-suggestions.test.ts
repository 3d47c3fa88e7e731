import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* What a service sends to Redis so that open pages learn what begins to hold. */

const SECRET = 'a secret of the tests, long enough';
const CLUSTERS = { tv: ['/tv/*'] };
const SUGGESTIONS = [
  { name: 'cable', when: { all: [{ seen: '/charger' }, { seen: 'phone' }] }, suggest: 'A cable' },
  { name: 'case', when: { seen: 'phone' }, suggest: 'A case' },
  { name: 'aerial', when: { cluster: 'tv', atLeast: 2 }, unless: { event: 'bought' }, suggest: 'An aerial' },
  { name: 'gift', when: { segment: 'buyer' }, suggest: 'A gift' },
  { name: 'guide', when: { all: [{ event: 'asked', withinDays: 7 }, { group: 'staff' }] }, suggest: 'The guide' },
];
const SEGMENTS = { buyer: { event: 'bought', item: '/tv/1', atLeast: 3 } };
const RULES = { clusters: CLUSTERS, suggestions: SUGGESTIONS, segments: SEGMENTS };
const STREAM = 'sw:{sw:lifecycle}:@live';

describe('suggestions that begin to hold', () => {
  const server = useRedis();
  let proxy: RedisProxy;
  let service: Service;
  let client: SessionClient;
  beforeEach(async () => {
    proxy = await startRedisProxy(server.socketPath);
    service = await startService({ redis: proxy.url, secret: SECRET, ...RULES, transport: 'inline' });
    client = new SessionClient({ transport: service.inline, deadlineMs: 20_000 });
  });
  afterEach(async () => {
    await client.close();
    await service.stop(100);
    await proxy.close();
  });
  /** How many commands about visitors were sent while something was done, and which about streams. */
  const sentBy = async (work: () => Promise<unknown>): Promise<[aboutVisitors: number, aboutStreams: string[]]> => {
    // Behind what was not waited for, before and after.
    const settle = () => client.request('session-analytics', 'somebody', '');
    await settle();
    proxy.reset();
    await work();
    await settle();
    const sent = proxy.commands('sessionwise-service');
    const about = (key: RegExp): string[] =>
      sent.filter((command) => command.some((arg) => key.test(arg))).map(([name]) => name!);
    return [about(/\}:(ada|bob|eve|joe)(:|$)/).length, about(/:@(listening|live)$/)];
  };
  const told = async (): Promise<string[]> => {
    const entries = await server.redis.command<[string, string[]][]>('XRANGE', STREAM, '-', '+');
    return entries.map(([, fields]) => fields[fields.indexOf('rule') + 1]!);
  };
  const view = (visitor: string, page: string) => client.request('pageview', visitor, page);

  it('cost nothing where nobody listens, but one look in ten seconds', async () => {
    const visitors = ['ada', 'bob', 'eve', 'joe'];
    const all = (page: string) => Promise.all(visitors.map((visitor) => view(visitor, page)));
    await all('/first');
    expect(await sentBy(() => all('/other'))).toEqual([4, []]);
    expect(await sentBy(() => all('/charger'))).toEqual([4, ['EXISTS']]);
    expect(await sentBy(() => all('/charger'))).toEqual([4, []]);
    await client.request('mark-item-seen', 'ada', ['phone']);
    expect(await told()).toEqual([]);
  });

  it('are told once, each when its last item is seen for the first time', async () => {
    await client.request('live', 'somebody', '');
    await view('ada', '/charger');
    expect(await told()).toEqual([]);
    await client.request('mark-item-seen', 'ada', ['phone', 'other']);
    await waitUntil('both are told', async () => (await told()).length === 2);
    expect((await told()).toSorted()).toEqual(['cable', 'case']);
    for (const page of ['/charger', '/phone', '/other']) await view('ada', page);
    await client.request('mark-item-seen', 'ada', ['phone']);
    expect(await sentBy(() => view('ada', '/charger'))).toEqual([1, []]);
    expect(await told()).toHaveLength(2);
  });

  it('are told of by another instance than the one that was asked for the stream', async () => {
    const other = await startService({ redis: server.url, secret: SECRET, ...RULES, transport: 'inline' });
    const asked = new SessionClient({ transport: other.inline, deadlineMs: 20_000 });
    await asked.request('live', 'ada', '');
    // Several at once, while it looks whether anybody listens.
    const visitors = ['ada', 'bob', 'eve', 'joe'];
    await Promise.all(visitors.map((visitor) => client.request('mark-item-seen', visitor, ['phone'])));
    await waitUntil('it is told', async () => (await told()).length === visitors.length);
    await asked.close();
    await other.stop(100);
  });

  const soon = (rules: string[]) => waitUntil(`${rules} are told`, async () => (await told()).join() === rules.join());

  it('are told when a cluster or an event was counted so often, and not again', async () => {
    await client.request('live', 'somebody', '');
    for (const page of ['/tv/1', '/tv/2', '/tv/3', '/tv/1']) await view('ada', page);
    await soon(['aerial']);
    const bought = { event: 'bought', items: ['/tv/1', '/tv/2'] };
    // Looks, and finds that nothing begins.
    expect(await sentBy(() => client.request('track', 'ada', bought))).toEqual([2, []]);
    expect(await sentBy(() => client.request('track', 'ada', { event: 'other' }))).toEqual([1, []]);
    await client.request('track', 'ada', { ...bought, count: 5 });
    await soon(['aerial', 'gift']);
    expect(await sentBy(() => client.request('track', 'ada', bought))).toEqual([2, []]);
    expect(await told()).toHaveLength(2);
  });

  it('are told by the one that made them begin, however many come at once', async () => {
    await client.request('live', 'somebody', '');
    await Promise.all(Array.from({ length: 10 }, (_, i) => view('ada', `/tv/${i}`)));
    await Promise.all(
      Array.from({ length: 10 }, () => client.request('track', 'bob', { event: 'bought', items: ['/tv/1'] })),
    );
    await waitUntil('both are told', async () => (await told()).length === 2);
    await client.request('mark-item-seen', 'eve', ['phone']);
    await waitUntil('a third one is told', async () => (await told()).includes('case'));
    expect((await told()).toSorted()).toEqual(['aerial', 'case', 'gift']);
  });

  it('are not told while they are kept away, nor of an item that was seen as a page', async () => {
    await client.request('live', 'somebody', '');
    await client.request('mark-suggestions', 'ada', { rules: ['case'], as: 'dismissed' });
    await client.request('mark-item-seen', 'ada', ['phone']);
    await client.request('track', 'bob', { event: 'bought' });
    for (const page of ['/tv/1', '/tv/2']) await view('bob', page);
    await client.request('mark-item-seen', 'ada', ['/charger']);
    await soon(['cable']);
    await view('ada', '/charger');
    await client.request('mark-item-seen', 'eve', ['phone']);
    await soon(['cable', 'case']);
  });

  it('are told of a group, which the page knows', async () => {
    await client.request('live', 'somebody', '');
    await client.request('track', 'ada', { event: 'asked' });
    await soon(['guide']);
  });

  it('name nothing that was seen', async () => {
    await client.request('live', 'somebody', '');
    await client.request('mark-item-seen', 'ada', ['phone']);
    await waitUntil('it is told', async () => (await told()).length === 1);
    const [[, fields]] = (await server.redis.command<[[string, string[]]]>('XRANGE', STREAM, '-', '+'))!;
    expect(fields).toEqual(['event', 'suggested', 'to', expect.stringMatching(/^[\w-]{16}$/), 'rule', 'case']);
  });
});
