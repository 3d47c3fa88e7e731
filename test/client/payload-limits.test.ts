import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandName, type Degraded, NotKeptError, SessionClient } from '../../src/index.ts';
import { MAX_ITEM_BYTES, MAX_ITEMS, MAX_PAYLOAD_BYTES, mustKeep } from '../../src/protocol/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { useRedis } from '../support/use-redis.ts';

/* What is beyond the limits of docs/protocol.md, or not what a command takes, does not leave the serving process. */

const server = useRedis({ eachTest: 'kept' });
let proxy: RedisProxy;
let service: Service;
beforeAll(async () => {
  proxy = await startRedisProxy(server.socketPath);
  service = await startService({ redis: server.url, secret: 'a secret of the tests, long enough', transport: 'both' });
});
afterAll(async () => {
  await service.stop();
  await proxy.close();
});

const atMost = (bytes: number): string => `/${'é'.repeat(10)}${'x'.repeat(bytes - 61)}`;
const beyond: [CommandName, unknown, string][] = [
  ['pageview', atMost(MAX_ITEM_BYTES + 1), 'too-large'],
  ['pageview', { path: `/${'x'.repeat(MAX_ITEM_BYTES)}` }, 'too-large'],
  ['pageview', 'x'.repeat(300 * 1024), 'too-large'],
  ['pageview', { path: '/a', at: -1 }, 'bad-payload'],
  ['pageview', '', 'bad-payload'],
  ['pageview', undefined, 'bad-payload'],
  ['session-analytics', 'x', 'bad-payload'],
  ['session-analytics', {}, 'bad-payload'],
  ['session-analytics', { here: 7 }, 'bad-payload'],
  ['session-analytics', { here: '' }, 'bad-payload'],
  ['session-analytics', { here: atMost(MAX_ITEM_BYTES + 1) }, 'too-large'],
  ['combo', 'x'.repeat(MAX_PAYLOAD_BYTES + 1), 'too-large'],
  ['surface', Array.from({ length: MAX_ITEMS + 1 }, (_, i) => `i${i}`), 'too-large'],
  ['surface', Array.from({ length: 40 }, (_, i) => `${i}${'y'.repeat(2_000)}`), 'too-large'],
  ['surface', 'not JSON', 'bad-payload'],
  ['surface', ['/a', 7], 'bad-payload'],
  ['notifications', [{ id: 'z'.repeat(MAX_ITEM_BYTES + 1) }], 'too-large'],
  ['notifications', [{ title: 'no id' }], 'bad-payload'],
  ['notices', { groups: ['a b'] }, 'bad-payload'],
  ['notices', { groups: Array.from({ length: 101 }, (_, i) => `g${i}`) }, 'bad-payload'],
  ['notices', { groups: [], limit: 1001 }, 'bad-payload'],
  ['notices', { groups: [], before: 'yesterday' }, 'bad-payload'],
  ['notices', { group: 'a' }, 'bad-payload'],
  ['notices', ['n1'], 'bad-payload'],
  ['notice-counts', { groups: [''] }, 'bad-payload'],
  ['live', { groups: 'a' }, 'bad-payload'],
  ['mark-notices', { ids: ['n'], as: 'forgotten' }, 'bad-payload'],
  ['mark-notices', { as: 'read' }, 'bad-payload'],
  ['mark-notices', { ids: ['n'], groups: ['g'], as: 'read' }, 'bad-payload'],
  ['mark-notices', { ids: Array.from({ length: MAX_ITEMS + 1 }, (_, i) => i), as: 'read' }, 'too-large'],
  ['mark-notices', { ids: ['z'.repeat(MAX_ITEM_BYTES + 1)], as: 'read' }, 'too-large'],
  ['mute-groups', { mute: ['a'], unmute: ['a'] }, 'bad-payload'],
  ['mute-groups', { mute: 'a' }, 'bad-payload'],
  ['publish-notice', { to: { group: 'a' }, id: 'n' }, 'bad-payload'],
  ['publish-notice', { to: { group: 'a', segment: 'b' }, id: 'n', text: 'T' }, 'bad-payload'],
  ['publish-notice', { to: { group: 'a' }, id: 'n', text: 'x'.repeat(4097) }, 'bad-payload'],
  ['publish-notice', { to: { group: 'a' }, id: 'n', text: 'T', title: 'x'.repeat(257) }, 'bad-payload'],
  ['publish-notice', { to: { group: 'a' }, id: 'n', text: 'T', data: { more: 'x'.repeat(8192) } }, 'bad-payload'],
  ['publish-notice', { to: { group: 'a' }, id: 'n', text: 'T', data: ['x'] }, 'bad-payload'],
  ['publish-notice', { to: { group: 'a' }, id: 'n', text: 'T', severity: 'fatal' }, 'bad-payload'],
  ['publish-notice', { to: { group: 'a' }, id: 'n', text: 'T', publishAt: 1.5 }, 'bad-payload'],
  ['publish-notice', { to: { group: 'a' }, id: 'n', text: 'T', expiresAt: 2 ** 42 }, 'bad-payload'],
  ['publish-notice', { to: { group: 'a' }, id: 'n', text: 'T', publishAt: 5, expiresAt: 5 }, 'bad-payload'],
  ['publish-notice', { to: { group: 'a' }, id: 'n', text: 'T', titel: 'T' }, 'bad-payload'],
  ['publish-notice', { to: { subject: 'no session' }, id: 'n', text: 'T' }, 'bad-payload'],
  ['publish-notice', { to: { group: 'a' }, id: 'z'.repeat(MAX_ITEM_BYTES + 1), text: 'T' }, 'too-large'],
  ['edit-notice', { id: 'n', text: null }, 'bad-payload'],
  ['edit-notice', { id: 'n', to: { group: 'a' }, text: 'T' }, 'bad-payload'],
  ['withdraw-notice', { id: '' }, 'bad-payload'],
  ['withdraw-notice', { id: 'n', text: 'T' }, 'bad-payload'],
  ['list-notices', { of: { group: 'a' }, limit: 0 }, 'bad-payload'],
  ['list-notices', { of: {} }, 'bad-payload'],
  ['notice-stats', ['a', 1.5], 'bad-payload'],
  ['notice-stats', Array.from({ length: MAX_ITEMS + 1 }, (_, i) => i), 'too-large'],
  ['set-group', { group: 'a', join: 'later' }, 'bad-payload'],
  ['robots', { refused: 0 }, 'bad-payload'],
  ['robots', { refused: 1.5 }, 'bad-payload'],
  ['robots', { refused: 1_000_001 }, 'bad-payload'],
  ['robots', 17, 'bad-payload'],
  ['mark-item-seen', Array.from({ length: MAX_ITEMS + 1 }, (_, i) => `i${i}`), 'too-large'],
  ['mark-item-seen', 'é'.repeat(MAX_ITEM_BYTES / 2 + 1), 'too-large'],
  ['mark-item-seen', { item: 'x' }, 'bad-payload'],
  ['mark-item-seen', 'half \ud83d', 'bad-payload'],
  ['mark-item-seen', ['whole \ud83d\ude00', 'half \ude00'], 'bad-payload'],
  ['surface', ['\ud800'], 'bad-payload'],
  ['mark-notification-seen', 'n\udc00', 'bad-payload'],
  ['mark-notification-seen', ['n', 1.5], 'bad-payload'],
  ['mark-notification-seen', Array.from({ length: 33 }, (_, i) => `${i}${'y'.repeat(2_000)}`), 'too-large'],
];

const openers = {
  channels: () => new SessionClient({ redis: proxy.url, deadlineMs: 10_000 }),
  lists: () => new SessionClient({ redis: proxy.url, deadlineMs: 10_000, replies: 'list' }),
  streams: () => new SessionClient({ redis: proxy.url, transport: 'streams', deadlineMs: 10_000 }),
  inline: () => new SessionClient({ transport: service.inline, deadlineMs: 10_000 }),
};

describe.each(Object.entries(openers))('a client over %s', (way, open) => {
  it('sends nothing that is too large or of another form, and says so', async () => {
    const client = open();
    expect(await client.ready()).toBe(true);
    const told: Degraded[] = [];
    client.on('degraded', (degraded) => told.push(degraded));
    const served = async (): Promise<string> => JSON.stringify(await service.metrics.requests.samples());
    const [before] = [await served(), proxy.reset()];
    for (const [command, payload, code] of beyond) {
      const name = `${command} ${String(JSON.stringify(payload)).slice(0, 20)}`;
      expect(await client.request(command, 'abc', payload as never), name).toBeUndefined();
      expect([told.at(-1)!.reason, name]).toEqual([code, name]);
      expect(told.at(-1)!.message).toMatch(/^.{10,250}$/);
      const published = client.publish(command, 'abc', payload as never);
      if (mustKeep(command) && way !== 'channels' && way !== 'lists') {
        const refused = await published.catch((error: unknown) => error);
        expect(refused, name).toBeInstanceOf(NotKeptError);
        expect(refused).toMatchObject({ code: code === 'too-large' ? 'TOO_LARGE' : 'BAD_PAYLOAD' });
      } else expect(await published, name).toBe(false);
    }
    expect(proxy.commands('sessionwise-').filter(([name]) => name !== 'PING')).toEqual([]);
    expect(await served()).toBe(before);
    expect(client.counters.unheard).toBe(beyond.length);
    await client.close();
  });

  it('sends what stands at the limits, and it is served', async () => {
    const client = open();
    expect(await client.ready()).toBe(true);
    const session = `limits-${way}`;
    expect(await client.request('pageview', session, atMost(MAX_ITEM_BYTES))).toMatchObject({ totalPages: 1 });
    const items = Array.from({ length: MAX_ITEMS }, (_, i) => `${i}`);
    expect(await client.request('mark-item-seen', session, items)).toEqual(items);
    // A list of one stays a list: what begins with `[` is JSON on the wire.
    const listed = '["[sale] shoes"]' as never;
    expect(await client.request('mark-item-seen', session, listed)).toEqual(['[sale] shoes']);
    expect(await client.request('surface', session, ['[sale] shoes', '/new'])).toEqual(['/new']);
    expect(await client.request('mark-notification-seen', session, '[5]' as never)).toEqual([5]);
    const content = { text: 'x'.repeat(4096), title: 'x'.repeat(256), data: { more: 'x'.repeat(8181) } };
    const largest = { to: { subject: session }, id: 'x'.repeat(MAX_ITEM_BYTES), ...content };
    expect(await client.request('publish-notice', session, largest)).toMatchObject({ isNew: true });
    const groups = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(128, 'g'));
    const shown = await client.request('notices', session, { groups, limit: 1000 });
    expect(shown).toMatchObject({ notices: [content], unread: 1 });
    expect(await client.request('mark-notices', session, { ids: items, as: 'read' })).toMatchObject({ marked: 1000 });
    await client.close();
  });
});
