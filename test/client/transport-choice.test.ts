import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Degraded, SessionClient, type SessionClientOptions, type TransportChoice } from '../../src/index.ts';
import { COMMAND_NAMES } from '../../src/protocol/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { useRedis } from '../support/use-redis.ts';

/* Which way a client's commands go, that they are answered alike on each, and what cannot be chosen. */

const SECRET = 'a secret of the tests, long enough';
const LONG_MS = 10_000;
const NOON = Date.UTC(2026, 10, 20, 12, 0, 30);

const server = useRedis({ eachTest: 'kept' });
let proxy: RedisProxy;
let service: Service;
beforeAll(async () => {
  proxy = await startRedisProxy(server.socketPath);
  service = await startService({
    redis: server.url,
    secret: SECRET,
    transport: 'both',
    clock: () => NOON,
    suggestions: [
      {
        name: 'cable',
        when: { all: [{ seen: '/tv' }, { seen: '/mount' }] },
        suggest: '/cable',
        reason: 'It is too short.',
      },
    ],
  });
});
afterAll(async () => {
  await service?.stop();
  await proxy?.close();
});

/** Sends the heartbeat of the service now. */
async function beat(): Promise<void> {
  const commands = COMMAND_NAMES;
  const message = { instance: service.instance, glob: '?*', commands, leaving: false, streams: true };
  await server.redis.command('PUBLISH', 'async:_instances', JSON.stringify(message));
}

async function open(options: Partial<SessionClientOptions>): Promise<SessionClient> {
  const client = new SessionClient({ redis: proxy.url, deadlineMs: LONG_MS, ...options });
  onTestFinished(() => client.close());
  expect(await client.ready()).toBe(true);
  // Its reply comes behind the heartbeat, on the same connection.
  await beat();
  expect(await client.request('combo', 'heard', '')).toEqual([]);
  return client;
}

/** The routes of what the client sends. */
async function routesOf(client: SessionClient, send: () => Promise<unknown>): Promise<string[]> {
  proxy.reset();
  await send();
  expect(client.counters.degraded).toEqual({});
  const ways: Record<string, string> = { PUBLISH: 'channels', XADD: 'streams', EVAL: 'streams', EVALSHA: 'streams' };
  return proxy
    .commands('sessionwise-client')
    .map(([name]) => ways[name!])
    .filter((way) => way !== undefined);
}

describe('the transport of a client', () => {
  it.each<[TransportChoice, string, string, string]>([
    ['channels', 'channels', 'channels', 'channels'],
    // Questions take the shorter way, because an instance serves them there.
    ['streams', 'streams', 'streams', 'channels'],
    ['mixed', 'streams', 'streams', 'channels'],
    [{}, 'channels', 'channels', 'channels'],
    [{ 'mark-item-seen': 'streams' }, 'channels', 'streams', 'channels'],
    [{ pageview: 'streams', featuredpages: 'channels' }, 'streams', 'channels', 'channels'],
    [{ surface: 'streams' }, 'channels', 'channels', 'streams'],
    [{ surface: 'streams', featuredpages: 'streams' }, 'channels', 'channels', 'streams'],
  ])('%j sends pageview over %s, mark-item-seen over %s, featuredpages over %s', async (transport, view, mark, ask) => {
    const client = await open({ transport });
    expect(await routesOf(client, () => client.request('pageview', 'ways', '/a'))).toEqual([view]);
    expect(await routesOf(client, () => client.publish('pageview', 'ways', '/a'))).toEqual([view]);
    expect(await routesOf(client, () => client.request('mark-item-seen', 'ways', 'x'))).toEqual([mark]);
    expect(await routesOf(client, () => client.publish('mark-item-seen', 'ways', 'x'))).toEqual([mark]);
    expect(await routesOf(client, () => client.request('featuredpages', 'ways', ['/a']))).toEqual([ask]);
    expect(await routesOf(client, () => client.request('surface', 'ways', ['/a']))).toEqual([ask]);
    expect(await routesOf(client, () => client.session('ways').unseen(['/a']))).toEqual([ask]);
  });

  it('that is streams brings questions there where nobody hears them on channels, whatever heartbeats say', async () => {
    const namespace = 'streams-only';
    const only = await startService({ redis: server.url, secret: SECRET, namespace, transport: 'streams' });
    onTestFinished(() => only.stop());
    const client = new SessionClient({ redis: proxy.url, deadlineMs: LONG_MS, transport: 'streams', namespace });
    onTestFinished(() => client.close());
    expect(await client.ready()).toBe(true);
    expect(await client.request('surface', 'abc', ['/a'])).toEqual(['/a']);
    const forged = { instance: 'forged', glob: '?*', commands: COMMAND_NAMES, leaving: false };
    await server.redis.command('PUBLISH', `${namespace}:async:_instances`, JSON.stringify(forged));
    expect(await client.request('surface', 'abc', ['/a'])).toEqual(['/a']);
    const ways = await routesOf(client, () => client.request('surface', 'abc', ['/a']));
    expect(ways).toEqual(['channels', 'streams']);
    const page = client.session('abc');
    expect(await Promise.all([page.unseen(['/a']), page.suggestions()])).toEqual([['/a'], []]);
  });

  it('is channels unless told', async () => {
    const client = await open({});
    expect(await routesOf(client, () => client.request('pageview', 'ways', '/a'))).toEqual(['channels']);
  });

  it('is channels where it is null, as plain JavaScript may give it', async () => {
    const client = await open({ transport: null as never });
    expect(await routesOf(client, () => client.request('pageview', 'ways', '/a'))).toEqual(['channels']);
  });

  it('that cannot be used is refused with a sentence', () => {
    const refused = (options: object): string => {
      try {
        void new SessionClient({ redis: server.url, ...options }).close();
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        return (error as Error).message;
      }
      return 'not refused';
    };
    for (const transport of ['stream', 'both', '', 7, [], ['streams'], () => 'streams']) {
      expect(refused({ transport })).toMatch(/^transport .* cannot be used: give "channels", "streams", "mixed"/);
    }
    expect(refused({ transport: 'stream' })).toContain('"stream"');
    const half = { request: () => undefined, publish: () => undefined };
    expect(refused({ transport: half })).toMatch(/^transport /);
    expect(refused({ transport: { pageview: 'mixed' } })).toMatch(/^transport of pageview "mixed" cannot be used/);
    expect(refused({ transport: { pageviews: 'streams' } })).toBe(
      'transport names "pageviews", and there is no such command: did you mean "pageview"?',
    );
    expect(refused({ transport: { toString: 'streams' } })).toMatch(
      /no such command: known are pageview, active, session-/,
    );
    expect(refused({ transport: { surface: 'streams', featuredpages: 'channels' } })).toBe(
      'transport sends surface over streams and featuredpages over channels, and these are two names of one command: give one of them.',
    );
    expect(refused({ redis: undefined })).toMatch(/^redis is missing/);
    for (const maxBacklog of [63, 0, -1, 100.5, Number.NaN, Number.POSITIVE_INFINITY, '1000']) {
      expect(refused({ maxBacklog })).toMatch(/^maxBacklog .* cannot be used/);
    }
    for (const keepDeadlineMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 60_001]) {
      expect(refused({ keepDeadlineMs })).toMatch(/^keepDeadlineMs .* cannot be used/);
    }
    for (const count of [0, -1, 1.5, Number.NaN]) {
      expect(refused({ blockingConnections: count })).toMatch(/^blockingConnections .* cannot be used/);
      expect(refused({ maxPending: count })).toMatch(/^maxPending .* cannot be used/);
    }
    for (const secret of ['', 'too short', 7]) {
      const message = refused({ secret });
      expect(message).toMatch(/^The secret cannot be used/);
      if (secret !== '') expect(message).not.toContain(String(secret));
    }
  });
});

describe('the deadline of a client', () => {
  it.each(['channels', 'streams'] as const)(
    'that is no number, or too long a one, harms nobody on %s',
    async (transport) => {
      const client = await open({ transport });
      for (const deadlineMs of [Number.POSITIVE_INFINITY, 1e12]) {
        expect(await client.request('featuredpages', 'abc', ['/a'], { deadlineMs })).toEqual(['/a']);
      }
      expect(await client.request('featuredpages', 'abc', ['/a'], { deadlineMs: Number.NaN })).toBeUndefined();
      expect(client.counters.degraded).toEqual({ deadline: 1 });
    },
  );
});

/** Asks every command, right and wrong, and notes what came of it. */
async function tour(client: SessionClient, session: string): Promise<unknown[]> {
  const notes: unknown[] = [];
  client.on('degraded', ({ reason, message }: Degraded) => notes.push([reason, message]));
  const ask: SessionClient['request'] = async (command, ...rest) => {
    const reply = await client.request(command, session, ...(rest.slice(1) as [never]));
    notes.push([command, reply]);
    return reply;
  };
  await ask('pageview', session, '/tv?x=1');
  await ask('pageview', session, { path: 'https://shop.example/mount', at: 5 });
  await ask('pageview', session, '');
  await ask('pageview', session, 'x'.repeat(3_000));
  await ask('pageview', session, '/ä/👋');
  await ask('session-analytics', session, '');
  await ask('combo', session, '');
  await ask('combo', session, 'cable');
  await ask('combo', session, 'nothing');
  await ask('featuredpages', session, ['/tv', '/radio', 'b']);
  await ask('surface', session, ['/tv', '/radio']);
  await ask('featuredpages', session, []);
  await ask('featuredpages', session, ['']);
  await ask('mark-item-seen', session, ['b', 'c']);
  await ask('mark-item-seen', session, []);
  await ask('featuredpages', session, ['a', 'b', 'c']);
  await ask('mark-notification-seen', session, ['n1', 7]);
  await ask('mark-notification-seen', session, '');
  await ask('notifications', session, ['n1', { id: 7, text: 'T' }, 'n2']);
  await ask('notices', session, { groups: ['customers'], limit: 3 });
  await ask('notices', session, { groups: ['a b'] });
  await ask('notices', session, { groups: [], limit: 1001 });
  await ask('notice-counts', session, '');
  await ask('mark-notices', session, { ids: ['n1', 'new'], as: 'read' });
  await ask('mark-notices', session, { groups: ['customers'], as: 'seen' });
  await ask('mark-notices', session, { ids: ['n1'], as: 'forgotten' as 'read' });
  await ask('mute-groups', session, { mute: ['customers'] });
  await ask('mute-groups', session, { mute: ['a'], unmute: ['a'] });
  await ask('set-group', session, { group: 'customers', join: 'now' });
  await ask('publish-notice', session, { to: { group: 'a b' }, id: 'n', text: 'T' });
  await ask('publish-notice', session, { to: { subject: session }, id: 'n', text: '' });
  await ask('edit-notice', session, { id: 'nobody', text: 'T' });
  await ask('withdraw-notice', session, { id: 'nobody' });
  await ask('list-notices', session, { of: { group: 'customers' } });
  await ask('list-notices', session, { of: { group: 'customers' }, limit: 0 });
  await ask('notice-stats', session, ['nobody']);
  // @ts-expect-error there is no such payload
  await ask('featuredpages', session, { items: 1 });
  notes.push(await client.publish('mark-item-seen', session, ['kept']));
  return notes;
}

describe('every command of a client', () => {
  it('is answered alike on each way', async () => {
    const clients: [string, Partial<SessionClientOptions>][] = [
      ['channels', {}],
      ['list', { replies: 'list' }],
      ['streams', { transport: 'streams' }],
      ['sealed', { transport: 'streams', secret: SECRET }],
      ['mixed', { transport: 'mixed' }],
      ['inline', { transport: service.inline }],
    ];
    const tours = new Map<string, unknown[]>();
    for (const [name, options] of clients) tours.set(name, await tour(await open(options), `tour-${name}`));
    const [first] = tours.values();
    expect(first).toHaveLength(50);
    for (const [name, notes] of tours) expect(notes, name).toEqual(first);
  });
});
