import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type PageviewReply, SessionClient, type SessionClientOptions } from '../../src/index.ts';
import { createToken, sessionOf } from '../../src/protocol/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { useRedis } from '../support/use-redis.ts';

/* `visit()` is a question that counts nothing, and tells what the page's own view answers when it counts: compared with
 * that answer, on random histories. */

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 10, 20, 12, 0, 30);
const LONG_MS = 20_000;
const HISTORIES = 5;
const VIEWS = 12;
const PAGES = Array.from({ length: 16 }, (_, i) => `/page-${i}`);
// Small, outgrown on the way, and large from the first page on.
const EXACT_LIMITS = [512, 4, 0];

const server = useRedis({ eachTest: 'kept' });
const services = new Map<number, Service>();
let now = NOON;

beforeAll(async () => {
  for (const exactLimit of EXACT_LIMITS) {
    const namespace = `limit${exactLimit}`;
    const seen = { exactLimit, engine: 'portable', errorRate: 0.01, firstCapacity: 100 } as const;
    const options = { redis: server.url, secret: 'a secret of the tests, long enough', clock: () => now };
    services.set(exactLimit, await startService({ ...options, namespace, seen, transport: 'both' }));
  }
});
afterAll(async () => {
  for (const service of services.values()) await service.stop();
});

const TRANSPORTS: Record<string, Partial<SessionClientOptions>> = {
  channels: {},
  lists: { replies: 'list' },
  streams: { transport: 'streams' },
  mixed: { transport: 'mixed' },
};

async function open(transport: string, exactLimit = 512): Promise<SessionClient> {
  const inline = { transport: services.get(exactLimit)!.inline };
  const client = new SessionClient({
    deadlineMs: LONG_MS,
    ...(transport === 'inline'
      ? inline
      : { redis: server.url, namespace: `limit${exactLimit}`, ...TRANSPORTS[transport] }),
  });
  onTestFinished(() => client.close());
  expect(await client.ready()).toBe(true);
  return client;
}

function newSession(): string {
  return sessionOf(createToken());
}

/** Compares what was told before a view with what it answers. */
function expectToldRight(told: PageviewReply | undefined, viewed: PageviewReply | undefined, isExact: boolean): void {
  expect(viewed).toBeDefined();
  if (isExact) expect(told).toEqual(viewed);
  else {
    expect(told).toEqual({ ...viewed, uniquePages: expect.any(Number) });
    expect(Math.abs(told!.uniquePages - viewed!.uniquePages)).toBeLessThanOrEqual(1);
  }
}

describe.each(['channels', 'lists', 'streams', 'mixed', 'inline'])('a visit that is asked for over %s', (transport) => {
  it.each(EXACT_LIMITS)('is what the view of the page answers (at most %i pages in the small form)', async (limit) => {
    const client = await open(transport, limit);
    const random = new SeededRandom(limit + 1);
    for (let history = 0; history < HISTORIES; history += 1) {
      const session = newSession();
      now = NOON + history * 1_000 * MINUTE;
      for (let views = 0; views < VIEWS; views += 1) {
        const page = random.pick(PAGES);
        const handle = client.session(session, { page: `${page}?query` });
        const told = await handle.visit();
        // Asking twice, or about another page, changes nothing.
        if (views % 4 === 0) {
          expect(await handle.visit()).toEqual(told);
          await client.session(session, { page: '/never-viewed' }).visit();
        }
        const viewed = await client.request('pageview', session, page);
        expectToldRight(told, viewed, limit === 512);
        now += random.pick([0, 1, 30, 60, 61, 120, 300, 360, 600]) * 1_000;
      }
      expect((await client.session(session).figures())?.totalPages).toBe(VIEWS);
    }
    expect(client.counters.degraded).toEqual({});
  });

  it('is the answer of its own view, where the page was counted before it asks', async () => {
    const client = await open(transport);
    const session = newSession();
    for (let views = 1; views <= 3; views += 1) {
      for (const payload of ['/a?b', { path: '/a' }, '{"path":"/a"}', 'https://h/a#c']) {
        const { totalPages = 0 } = (await client.session(session).figures())!;
        const handle = client.session(session, { page: '/a?b=c' });
        const viewed = handle.request('pageview', payload);
        const answers = await Promise.all([handle.visit(), viewed, handle.unseen(['/a', '/b'])]);
        expect(answers).toEqual([await viewed, await viewed, ['/b']]);
        expect(await handle.visit()).toMatchObject({ totalPages: totalPages + 1, previouslyVisited: totalPages > 0 });
      }
    }
    expect((await client.session(session).figures())?.totalPages).toBe(12);
  });
});

describe('a visit', () => {
  it('is known where the page published its view: that is sent once, with its answer', async () => {
    const client = await open('channels');
    const session = newSession();
    const handle = client.session(session, { page: '/a' });
    expect(await handle.publish('pageview', '/a')).toBe(true);
    const first = {
      totalPages: 1,
      uniquePages: 1,
      previouslyVisited: false,
      activityThisMinute: false,
      newToSite: true,
    };
    expect(await handle.visit()).toMatchObject(first);
    expect((await client.session(session).figures())?.totalPages).toBe(1);
  });

  it('counts its page in beside the views of other pages that the handle sends', async () => {
    const client = await open('channels');
    const handle = client.session(newSession(), { page: '/a' });
    expect(await handle.request('pageview', '/b')).toMatchObject({ totalPages: 1 });
    expect(await handle.visit()).toMatchObject({ totalPages: 2, uniquePages: 2, newToSite: false });
  });

  it.each([undefined, '', 'http://[', `/${'x'.repeat(3_000)}`])(
    'has nothing counted in where there is no page that can be counted (%#)',
    async (page) => {
      const client = await open('channels');
      const session = newSession();
      const none = { totalPages: 0, uniquePages: 0, previouslyVisited: false, activity: [0, 0, 0, 0, 0] };
      const handle = client.session(session, { page });
      expect(await handle.visit()).toEqual({ ...none, activityThisMinute: false, newToSite: true, inactive: false });
      await client.request('pageview', session, '/a');
      expect(await handle.visit()).toMatchObject({ totalPages: 1, uniquePages: 1, activityThisMinute: true });
    },
  );

  it('is undefined where no service answers, asked for or counted', async () => {
    const client = new SessionClient({ redis: server.url, namespace: 'nobody', deadlineMs: 2_000 });
    onTestFinished(() => client.close());
    expect(await client.ready()).toBe(true);
    const handle = client.session(newSession(), { page: '/a' });
    expect(await handle.visit()).toBeUndefined();
    expect(await handle.request('pageview', '/a')).toBeUndefined();
    expect(await handle.visit()).toBeUndefined();
    expect(client.counters.degraded).toEqual({ 'nobody-listens': 2 });
  });
});
