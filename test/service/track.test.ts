import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { personOf } from '../../src/protocol/index.ts';
import { Keys } from '../../src/redis/index.ts';
import { openNamespace, type Service, startService } from '../../src/service/index.ts';
import { ForeignClient } from '../support/foreign-client.ts';
import { useRedis } from '../support/use-redis.ts';

/* `track`, `mark-suggestions` and clusters of pages over a real service. */

const SECRET = 'a secret of the tests, long enough';
const CLUSTERS = { tv: ['/tv', '/tv/*'], media: ['/tv/**', '/radio/**'] };
const server = useRedis({ eachTest: 'kept' });
let service: Service;
let foreign: ForeignClient;
let client: SessionClient;
let lastSession = 0;

beforeAll(async () => {
  service = await startService({ redis: server.url, secret: SECRET, clusters: CLUSTERS });
  foreign = await ForeignClient.connect(server.url);
  client = new SessionClient({ redis: server.url, deadlineMs: 10_000 });
  await client.ready();
});
afterAll(async () => {
  await client?.close();
  await foreign?.close();
  await service?.stop();
});

const newSession = (): string => {
  lastSession += 1;
  return `tracked-${lastSession}`;
};

async function countsOf(session: string, kind: 'event' | 'cluster', ...names: string[]): Promise<number[]> {
  const { redis, knowledge } = await openNamespace({ redis: server.url, secret: SECRET });
  const facts = await knowledge.read(session).facts();
  redis.destroy();
  return names.map((name) => facts.get(knowledge.items.of(kind, name))?.count ?? 0);
}

describe('track', () => {
  it('counts an event, and of each item that it was about', async () => {
    const session = newSession();
    expect(await foreign.ask('track', session, { event: 'added-to-cart', items: ['/tv?from=mail'] })).toEqual({
      event: 'added-to-cart',
      count: 1,
      dropped: 0,
    });
    expect(await foreign.ask('track', session, { event: 'added-to-cart', count: 2, items: ['/tv', 'radio'] })).toEqual({
      event: 'added-to-cart',
      count: 3,
      dropped: 0,
    });
    const counted = await countsOf(session, 'event', 'added-to-cart', 'added-to-cart\0/tv', 'added-to-cart\0radio');
    expect(counted).toEqual([3, 3, 2]);
    // It is no view, and marks nothing as seen.
    expect(await foreign.ask('session-analytics', session, '')).toMatchObject({ totalPages: 0 });
    expect(await foreign.ask('surface', session, ['/tv', 'radio'])).toEqual(['/tv', 'radio']);
  });

  it.each([
    ['visitor', newSession],
    ['person', () => personOf(newSession())],
  ])('counts an event of a name once, of a %s', async (_, subject) => {
    const session = subject();
    const event = { event: 'paid', once: 'order-7' };
    expect(await foreign.ask('track', session, event)).toMatchObject({ count: 1 });
    expect(await foreign.ask('track', session, event)).toMatchObject({ count: 1 });
    // A view of the same name is another thing.
    expect(await foreign.ask('pageview', session, { path: '/a', once: 'order-7' })).toMatchObject({ totalPages: 1 });
    expect(await foreign.ask('track', session, { ...event, once: 'order-8' })).toMatchObject({ count: 2 });
  });

  it('is a verb of the handle, which answers how often it happened', async () => {
    const session = client.session(newSession());
    expect(await session.track('searched')).toBe(1);
    expect(await session.track('searched', { count: 4, items: ['/tv'] })).toBe(5);
    expect(() => session.track('searched', { cuont: 4 } as never)).toThrow(/count/);
    expect(await session.publish('track', { event: 'searched' })).toBe(true);
  });

  it('refuses what is no event, and says what to give', async () => {
    const session = newSession();
    const cases: [unknown, RegExp][] = [
      ['text', /not JSON/],
      [[], /no event/],
      [{}, /"event" is/],
      [{ event: '' }, /1 to 128 characters/],
      [{ event: 'x'.repeat(129) }, /1 to 128 characters/],
      [{ event: 'a\u0000b' }, /control characters/],
      [{ event: 'half \ud83d' }, /control characters/],
      [{ event: 'x', count: 0 }, /"count" is 0/],
      [{ event: 'x', count: 1.5 }, /whole number/],
      [{ event: 'x', count: 1_000_001 }, /1,000,000/],
      [{ event: 'x', items: 'tv' }, /not an array/],
      [{ event: 'x', items: Array.from({ length: 21 }, (_, i) => `i${i}`) }, /at most 20/],
      [{ event: 'x', at: -1 }, /"at" is/],
      [{ event: 'x', once: 'a b' }, /"once" is/],
      [{ event: 'x', itmes: ['tv'] }, /^"itmes" is no field of an event/],
    ];
    for (const [payload, message] of cases) {
      const answer = (await foreign.ask('track', session, payload)) as { error: { message: string } };
      expect(answer.error.message, JSON.stringify(payload)).toMatch(message);
    }
    const { redis } = server;
    expect(await redis.command('EXISTS', new Keys('sw').subject(session))).toBe(0);
  });
});

describe('mark-suggestions', () => {
  it('notes what was done with each, apart from events of these names', async () => {
    const session = client.session(newSession());
    expect(await session.shown(['cable', 'lamp', 'cable'])).toBe(true);
    expect(await session.taken('cable')).toBe(true);
    expect(await session.dismiss('lamp')).toBe(true);
    expect(await session.shown([])).toBe(true);
    const names = ['\0shown\0cable', '\0shown\0lamp', '\0taken\0cable', '\0dismissed\0lamp', 'cable', '\0taken\0lamp'];
    expect(await countsOf(session.id!, 'event', ...names)).toEqual([1, 1, 1, 1, 0, 0]);
  });

  it('refuses what is no mark', async () => {
    for (const [payload, message] of [
      [{ rules: ['a'], as: 'seen' }, /give shown, taken or dismissed/],
      [{ rules: [], as: 'shown' }, /give 1 to 100/],
      [{ rules: [''], as: 'shown' }, /no name of a rule/],
      [{ as: 'shown' }, /not an array/],
      ['x', /not JSON/],
    ] as const) {
      const answer = (await foreign.ask('mark-suggestions', newSession(), payload)) as { error: { message: string } };
      expect(answer.error.message).toMatch(message);
    }
  });
});

describe('clusters of pages', () => {
  it('are counted with the views of their pages, and with no others', async () => {
    const session = newSession();
    for (const page of ['/tv', '/tv/oled', '/tv/oled?size=55', '/tv/oled/55', '/radio', '/tvs', '/', '/TV']) {
      await foreign.ask('pageview', session, page);
    }
    expect(await countsOf(session, 'cluster', 'tv', 'media')).toEqual([3, 5]);
    expect(await foreign.ask('session-analytics', session, '')).toMatchObject({ totalPages: 8, uniquePages: 7 });
  });

  it('are refused with the place where they are wrong', async () => {
    const start = (clusters: unknown): Promise<Service> =>
      startService({ redis: server.url, secret: SECRET, clusters: clusters as never });
    for (const [clusters, message] of [
      [[], /give an object/],
      [{ '': ['/a'] }, /is no name/],
      [{ tv: [] }, /clusters\.tv cannot be used/],
      [{ tv: ['tv'] }, /clusters\.tv\[0\] is no pattern/],
      [{ tv: ['/a', '/t*v*'] }, /clusters\.tv\[1\]: a segment/],
      [{ tv: ['/**/a/**/b/**'] }, /more than two/],
      [Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`c${i}`, ['/a']])), /at most 200/],
    ] as const) {
      await expect(start(clusters)).rejects.toThrow(message);
    }
  });

  it('of hostile patterns and pages take no time that grows with the page', async () => {
    const session = newSession();
    const page = `/${'a/'.repeat(900)}x`;
    const other = await startService({
      redis: server.url,
      namespace: 'hostile',
      secret: SECRET,
      clusters: { deep: ['/**/a/**/b', `/${'a*/'.repeat(80)}b`] },
      transport: 'inline',
    });
    const inline = new SessionClient({ redis: server.url, transport: other.inline, deadlineMs: 5_000 });
    await inline.ready();
    expect(await inline.request('pageview', session, page)).toMatchObject({ totalPages: 1 });
    await inline.close();
    await other.stop();
  });
});
