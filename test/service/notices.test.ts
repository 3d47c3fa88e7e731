import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { personOf, SessionClient } from '../../src/index.ts';
import { type Rules, type Service, startService } from '../../src/service/index.ts';
import { ForeignClient } from '../support/foreign-client.ts';
import { metricOf } from '../support/metric-of.ts';
import { useRedis } from '../support/use-redis.ts';
import { TEST_SECRET } from '../support/use-test-data.ts';
import { waitUntil } from '../support/wait-until.ts';

/* Notices over the wire, by a client that knows nothing of ours, and by the pages of ours. */

const SEGMENTS: Rules['segments'] = { 'tv-lovers': { seen: '/tv' }, 'book-lovers': { seen: '/book' } };
const server = useRedis();
let service: Service;
let foreign: ForeignClient;

const serve = (): Promise<Service> =>
  startService({ redis: server.url, secret: TEST_SECRET, transport: 'both', segments: SEGMENTS });

beforeEach(async () => {
  service = await serve();
  foreign = await ForeignClient.connect(server.url);
});
afterEach(async () => {
  await foreign.close();
  await service.stop();
});

interface Shown {
  readonly notices: { id: string; read: boolean }[];
  readonly unread: number;
  readonly changesAt: number | null;
}
const shownTo = async (session: string, query: object = {}): Promise<Shown> =>
  (await foreign.ask('notices', session, query)) as Shown;
const idsOf = async (session: string, query: object = {}): Promise<string[]> =>
  (await shownTo(session, query)).notices.map(({ id }) => id);
const publish = (to: object, id: string, more: object = {}): Promise<unknown> =>
  foreign.ask('publish-notice', 'any', { to, id, text: `text of ${id}`, ...more });

describe('a foreign client', () => {
  it.each(['askByList', 'askByInbox'] as const)('publishes, lists and marks (%s)', async (ask) => {
    const send = async (command: string, payload: unknown): Promise<unknown> =>
      JSON.parse((await foreign[ask](command, 'reader', JSON.stringify(payload)))!);
    const groups = ['all'];
    expect(await send('publish-notice', { to: { group: 'all' }, id: 1, text: 'Eins' })).toEqual({
      id: '1',
      isNew: true,
      at: expect.any(Number),
    });
    expect(await send('notices', { groups })).toMatchObject({ notices: [{ id: '1', text: 'Eins' }], unread: 1 });
    expect(await send('mark-notices', { ids: [1], as: 'read' })).toEqual({ as: 'read', marked: 1 });
    expect(await send('notice-counts', { groups })).toEqual({ unseen: 0, unread: 0, changesAt: null });
    expect(await send('notice-stats', [1])).toEqual([{ id: 1, seen: 1, read: 1 }]);
    expect(await send('edit-notice', { id: 1, text: 'Zwei' })).toEqual({ id: '1', lists: 1 });
    expect(await send('list-notices', { of: { group: 'all' } })).toMatchObject([{ id: '1', text: 'Zwei' }]);
    expect(await send('withdraw-notice', { id: 1 })).toEqual({ id: '1', lists: 1 });
    expect(await send('notices', { groups })).toMatchObject({ notices: [], unread: 0 });
  });

  it('reads a list page by page, and misses none that is published meanwhile', async () => {
    for (let i = 0; i < 25; i += 1) await publish({ group: 'long' }, `n${String(i).padStart(2, '0')}`);
    const seen: string[] = [];
    let before: string | null | undefined;
    do {
      const page = (await foreign.ask('notices', 'pager', {
        groups: ['long'],
        limit: 10,
        ...(before ? { before } : {}),
      })) as { notices: { id: string }[]; before: string | null; unread: number };
      seen.push(...page.notices.map(({ id }) => id));
      expect(page.notices.length).toBeLessThanOrEqual(10);
      before = page.before;
      // What is newer than the page stands on no page behind it.
      await publish({ group: 'long' }, `newer-${seen.length}`);
    } while (before);
    expect(seen).toHaveLength(25);
    expect(new Set(seen).size).toBe(25);
  });
});

describe('a segment', () => {
  it('is the visitors for whom its condition holds, as it is read', async () => {
    await publish({ segment: 'tv-lovers' }, 'for-tv');
    await publish({ segment: 'nobody-knows-it' }, 'for-nobody');
    expect(await idsOf('v')).toEqual([]);
    expect(await foreign.ask('live', 'v', '')).toMatchObject({ lists: [], unread: 0 });
    await foreign.ask('pageview', 'v', '/tv');
    expect(await shownTo('v')).toMatchObject({ notices: [{ id: 'for-tv', segment: 'tv-lovers' }], unread: 1 });
    expect(await foreign.ask('live', 'v', '')).toMatchObject({
      lists: [{ topic: expect.any(String), segment: expect.any(String) }],
      unread: 1,
    });
    expect(await foreign.ask('mark-notices', 'v', { groups: [], as: 'read' })).toEqual({ as: 'read', marked: 1 });
    expect(await shownTo('v')).toMatchObject({ notices: [{ id: 'for-tv', read: true }], unread: 0 });
    expect(await idsOf('other')).toEqual([]);
    // The group of the same name is another list.
    expect(await idsOf('other', { groups: ['tv-lovers'] })).toEqual([]);
  });
});

describe('a scheduled notice', () => {
  it('begins and ends by the clock of Redis, with no process alive at the moment', async () => {
    const begins = Date.now() + 4_000;
    await publish({ group: 'later' }, 'soon', { publishAt: begins });
    await publish({ group: 'later' }, 'over', { expiresAt: begins });
    expect(await shownTo('v', { groups: ['later'] })).toMatchObject({ notices: [{ id: 'over' }], changesAt: begins });
    await service.stop();
    await waitUntil('it begins, and nobody is there', () => Date.now() > begins);
    service = await serve();
    expect(await shownTo('v', { groups: ['later'] })).toMatchObject({ notices: [{ id: 'soon' }], changesAt: null });
    expect(await foreign.ask('mark-notices', 'v', { groups: ['later'], as: 'read' })).toMatchObject({ marked: 1 });
    const ends = Date.now() + 4_000;
    await foreign.ask('edit-notice', 'any', { id: 'soon', expiresAt: ends });
    expect(await shownTo('v', { groups: ['later'] })).toMatchObject({ notices: [{ id: 'soon' }], changesAt: ends });
    await service.stop();
    await waitUntil('it ends, and nobody is there', () => Date.now() > ends);
    service = await serve();
    expect(await shownTo('v', { groups: ['later'] })).toEqual({
      notices: [],
      before: null,
      muted: [],
      unseen: 0,
      unread: 0,
      changesAt: null,
    });
  }, 30_000);
});

describe('a page', () => {
  it('has the counts of its visitor in the one message of all its questions', async () => {
    const client = new SessionClient({ redis: server.url, deadlineMs: 10_000 });
    try {
      expect(await client.ready()).toBe(true);
      await client.notices.publish({ to: { group: 'all' }, id: 'n', text: 'T' });
      await client.notices.publish({ to: { person: 'ada' }, id: 'own', text: 'T' });
      await waitUntil('heartbeats say that questions may travel together', async () => {
        const { messages } = client.counters;
        const warm = client.session('warm');
        await Promise.all([warm.figures(), warm.suggestions()]);
        return client.counters.messages === messages + 1;
      });
      const before = client.counters.messages;
      const served = await metricOf(service.metrics.requests, { command: 'together' });
      const page = client.session(personOf('ada'), { page: '/tv' });
      const [visit, unread, fresh] = await Promise.all([
        page.visit(),
        page.notices.unread({ groups: ['all'] }),
        page.unseen(['/radio']),
      ]);
      expect([visit?.totalPages, unread, fresh]).toEqual([1, 2, ['/radio']]);
      expect(client.counters.messages - before).toBe(1);
      expect(await metricOf(service.metrics.requests, { command: 'together' })).toBe(served + 1);
    } finally {
      await client.close();
    }
  });
});
