import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { SessionClientOptions } from '../../src/client/client-options.ts';
import type { Degraded } from '../../src/client/degraded.ts';
import { SessionClient } from '../../src/client/session-client.ts';
import { createToken, personOf, sessionOf } from '../../src/protocol/index.ts';
import { ConnectionOptionsError } from '../../src/redis/index.ts';
import { openNamespace, type Service, startService } from '../../src/service/index.ts';
import { askNotices } from '../support/ask-notices.ts';
import { askRules } from '../support/ask-rules.ts';
import { startTestRedis } from '../support/test-redis.ts';
import { unservedCommands } from '../support/unserved-commands.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const SECRET = 'a secret of the tests, long enough';
const LONG_MS = 20_000;
const SLACK_MS = 1_000;
const TOKEN = `${'0'.repeat(25)}.${'x'.repeat(43)}`;

const server = useRedis({ eachTest: 'kept' });
const { redis } = server;
let service: Service;

beforeAll(async () => {
  service = await startService({
    redis: server.url,
    secret: SECRET,
    segments: { readers: { seen: '/tv' }, buyers: { event: 'bought' } },
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
});

function open(options: Partial<SessionClientOptions> = {}): SessionClient {
  const client = new SessionClient({ redis: server.url, deadlineMs: LONG_MS, ...options });
  onTestFinished(() => client.close());
  return client;
}

async function openReady(options: Partial<SessionClientOptions> = {}): Promise<SessionClient> {
  const client = open(options);
  expect(await client.ready()).toBe(true);
  return client;
}

/** A session of which nothing is known. */
function newSession(): string {
  return sessionOf(createToken());
}

describe.each(['inbox', 'list'] as const)('requests of a client with %s replies', (replies) => {
  let client: SessionClient;
  beforeEach(async () => {
    client = await openReady({ replies });
  });

  it('answer every command of the handle, typed', async () => {
    const handle = client.session(newSession());
    expect(await handle.request('pageview', '/tv?x')).toMatchObject({ totalPages: 1, newToSite: true });
    expect(await handle.publish('pageview', { path: '/mount' })).toBe(true);
    await waitUntil('the view is counted', async () => (await handle.figures())?.totalPages === 2);
    expect(await handle.unseen(['/tv', '/radio', 'b'])).toEqual(['/radio', 'b']);
    expect(await handle.suggestions()).toEqual([
      { rule: 'cable', suggest: '/cable', because: ['/tv', '/mount'], reason: 'It is too short.' },
    ]);
    expect(await handle.suggestions('cable')).toHaveLength(1);
    expect(await handle.suggestions({ explain: true })).toMatchObject({
      suggestions: [{ rule: 'cable' }],
      rules: [{ rule: 'cable', holds: true, shown: true, explanation: { text: '2 of 2 hold, all must' } }],
    });
    expect([await handle.is('readers'), await handle.is('buyers'), await handle.is('unknown')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(() => handle.is('readers', { group: 'g' } as never)).toThrow(/is\(\) knows no option "group"/);
    expect(() => handle.suggestions({ explian: true } as never)).toThrow(/did you mean "explain"/);
    expect(await handle.markSeen(['a', 'b'])).toEqual(['a', 'b']);
    expect(await handle.markSeen(['c'])).toEqual(['c']);
    expect(await handle.unseen(['a', 'b', 'c', 'd'])).toEqual(['d']);
    expect(await handle.request('mark-notification-seen', ['n1'])).toEqual(['n1']);
    expect(await handle.notices.markRead([7])).toBe(1);
    expect(await handle.notices.annotate(['n1', { id: 7, text: 'T' }, 'n2'])).toEqual([
      { id: 'n1', seen: true },
      { id: 7, text: 'T', seen: true },
      { id: 'n2', seen: false },
    ]);
    expect(await handle.request('surface', ['/radio'])).toEqual(['/radio']);
    expect(await handle.request('together', [['surface', ['/radio']] as const, ['combo', 'nothing'] as const])).toEqual(
      [['/radio'], []],
    );
    expect(await handle.request('active', '')).toEqual({ active: true });
    expect(await handle.publish('mark-item-seen', ['e'])).toBe(true);
    expect(await handle.seen(['/tv', '/radio', 'b'])).toEqual(['/tv', 'b']);
    expect(await handle.visit()).toMatchObject({ totalPages: 2, previouslyVisited: false });
    const person = client.session(personOf(`ada-${replies}`), { page: '/radio' });
    expect(await person.request('identify', handle.id!)).toEqual({ from: handle.id, merged: true });
    expect(await person.visit()).toMatchObject({ totalPages: 3, uniquePages: 3, previouslyVisited: false });
    expect(await client.request('robots', handle.id!, { refused: 3 })).toEqual({ refused: 3 });
    await askNotices(client, `reader-${replies}`);
    await askRules(client, `buyer-${replies}`);
    expect(await unservedCommands(service)).toEqual([]);
    expect(client.counters).toMatchObject({ degraded: {}, lateReplies: 0, publishes: 2, unheard: 0 });
    expect(client.counters.replies).toBe(client.counters.requests);
  });

  it('read the lists that the store keeps', async () => {
    const namespace = await openNamespace({ redis: server.url, secret: SECRET });
    const group = `group-${replies}`;
    await namespace.knowledge.notices.lists.publish(
      { kind: 'group', name: group },
      { id: `${group}-1`, text: 'One', data: { link: '/one' } },
    );
    await namespace.redis.close();
    const handle = client.session(newSession());
    expect(await handle.notices.list({ groups: [group], limit: 1 })).toEqual({
      notices: [
        {
          id: `${group}-1`,
          text: 'One',
          data: { link: '/one' },
          at: expect.any(Number),
          group,
          seen: false,
          read: false,
        },
      ],
      before: null,
      muted: [],
      unseen: 1,
      unread: 1,
      changesAt: null,
    });
    await handle.notices.markRead([`${group}-1`]);
    expect(await handle.notices.list({ groups: [group] })).toMatchObject({ notices: [{ seen: true, read: true }] });
  });

  it('tell an error reply by event and counter, and do not throw', async () => {
    const degraded: Degraded[] = [];
    client.on('degraded', (event) => degraded.push(event));
    const handle = client.session('abc');
    expect(await handle.suggestions('nothing')).toEqual([]);
    expect(await handle.notices.list({ groups: ['no group'] })).toBeUndefined();
    expect(await handle.request('pageview', 'http://')).toBeUndefined();
    expect(await handle.request('pageview', `/${'x'.repeat(3000)}`)).toBeUndefined();
    expect(degraded).toEqual([
      {
        command: 'notices',
        session: 'abc',
        reason: 'bad-payload',
        message: expect.stringContaining('cannot be used'),
      },
      {
        command: 'pageview',
        session: 'abc',
        reason: 'bad-payload',
        message: expect.stringContaining('not a valid URL'),
      },
      { command: 'pageview', session: 'abc', reason: 'too-large', message: expect.stringContaining('2048 bytes') },
    ]);
    expect(client.counters).toMatchObject({ requests: 4, replies: 1, degraded: { 'bad-payload': 2, 'too-large': 1 } });
  });

  it('refuse what cannot travel, and do not throw', async () => {
    const degraded: Degraded[] = [];
    client.on('degraded', (event) => degraded.push(event));
    const circle: Record<string, unknown> = {};
    circle.circle = circle;
    const odd = [undefined, circle, 7n, Symbol('x'), () => 1, { toJSON: () => undefined }];
    for (const payload of odd) {
      expect(await client.request('pageview', 'abc', payload as never)).toBeUndefined();
      expect(await client.publish('pageview', 'abc', payload as never)).toBe(false);
    }
    const refusal = { command: 'pageview', session: 'abc', reason: 'bad-payload' };
    expect(degraded).toEqual(odd.map(() => ({ ...refusal, message: expect.stringMatching(/give a path, a URL/) })));
    expect(client.counters).toMatchObject({ requests: 6, publishes: 6, unheard: 6, degraded: { 'bad-payload': 6 } });
  });

  it('let no token through in place of a session', async () => {
    const channels: string[] = [];
    const listener = await redis.duplicate().connect();
    onTestFinished(() => listener.close());
    await listener.subscribePatterns(['ss:*'], (_, channel) => channels.push(channel));
    const degraded: Degraded[] = [];
    client.on('degraded', (event) => degraded.push(event));
    for (const session of [createToken(), 's:signed.cookie', 'a b', '', undefined as never]) {
      expect(await client.request('pageview', session, '/a')).toBeUndefined();
      expect(await client.publish('pageview', session, '/a')).toBe(false);
    }
    const message = expect.stringContaining('sessionOf(token)');
    expect(degraded).toEqual(
      Array.from({ length: 5 }, () => ({ command: 'pageview', session: '', reason: 'bad-payload', message })),
    );
    const session = newSession();
    expect(await client.request('surface', session, ['/a'])).toEqual(['/a']);
    await waitUntil('that one is heard', () => channels.length > 0);
    expect(channels).toEqual([expect.stringContaining(`ss:surface:${session}:`)]);
  });

  it('know that nobody listens without waiting', async () => {
    const other = await openReady({ replies, namespace: 'nobody' });
    const degraded: Degraded[] = [];
    other.on('degraded', (event) => degraded.push(event));
    const before = performance.now();
    for (let i = 0; i < 20; i += 1) expect(await other.session('abc').request('pageview', '/a')).toBeUndefined();
    expect(performance.now() - before).toBeLessThan(LONG_MS / 4);
    expect(other.counters).toMatchObject({ requests: 20, replies: 0, degraded: { 'nobody-listens': 20 } });
    expect(degraded[0]).toEqual({ command: 'pageview', session: 'abc', reason: 'nobody-listens' });
    expect(await other.publish('pageview', 'abc', '/a')).toBe(false);
    expect(other.counters).toMatchObject({ publishes: 1, unheard: 1 });
  });

  it('get each its own answer, a thousand at once', async () => {
    const sessions = Array.from({ length: 1000 }, (_, i) => `thousand-${replies}-${i}`);
    const answers = await Promise.all(sessions.map((session, i) => client.request('surface', session, [`/p${i}`])));
    expect(answers).toEqual(sessions.map((_, i) => [`/p${i}`]));
  });
});

describe('a page that asks a client', () => {
  it('has one deadline for all of its requests', async () => {
    const client = await openReady({ namespace: 'hangs', deadlineMs: 120 });
    // Somebody listens and never answers.
    const silent = await redis.duplicate().connect();
    onTestFinished(() => silent.close());
    await silent.subscribePatterns(['hangs:ss:*'], () => {});

    const page = client.session('abc');
    expect(page.leftMs).toBe(120);
    const before = performance.now();
    await Promise.all([page.request('pageview', '/a'), page.unseen([]), page.suggestions()]);
    // A timer may be a millisecond early.
    expect(page.leftMs).toBe(0);
    expect(client.counters.degraded).toEqual({ deadline: 3 });
    const published = performance.now();
    for (let i = 0; i < 50; i += 1) expect(await page.unseen([])).toBeUndefined();
    expect(performance.now() - published).toBeLessThan(SLACK_MS);
    expect(client.counters.degraded).toEqual({ deadline: 53 });
    expect(performance.now() - before).toBeLessThan(120 + 2 * SLACK_MS);
    // The next page has its own.
    expect(client.session('abc').leftMs).toBe(120);
    expect(client.session('abc', { deadlineMs: 7 }).leftMs).toBe(7);
  });

  it('still counts a view for which no time is left', async () => {
    const client = await openReady();
    const session = newSession();
    const page = client.session(session, { deadlineMs: 0 });
    expect(await page.request('pageview', '/a')).toBeUndefined();
    expect(await page.markSeen(['tv'])).toBeUndefined();
    expect(await page.unseen(['/b'])).toBeUndefined();
    expect(client.counters.degraded).toEqual({ deadline: 3 });
    const next = client.session(session);
    await waitUntil('the view is counted', async () => (await next.figures())?.totalPages === 1);
    await waitUntil('the item is marked', async () => (await next.unseen(['tv']))?.length === 0);
  });
});

describe('the session id of a client', () => {
  it.each(['', 'a b', 'a:b', '*', TOKEN, 'x'.repeat(129), 'ä', 'a\n', undefined as never])(
    'cannot be %j',
    (session) => {
      const client = open();
      expect(() => client.session(session)).toThrow(RangeError);
      try {
        client.session(session);
      } catch (error) {
        // It may be a token, so it is not shown.
        if (session?.length > 2) expect((error as Error).message).not.toContain(session);
      }
    },
  );
});

describe('a client', () => {
  it.each<[Partial<SessionClientOptions>, string]>([
    [{ deadlineMs: 0 }, '0'],
    [{ deadlineMs: -1 }, '-1'],
    [{ deadlineMs: Number.NaN }, 'NaN'],
    [{ deadlineMs: 60_001 }, '60001'],
    [{ replies: 'mail' as never }, '"mail"'],
    [{ namespace: 'A' }, '"A"'],
  ])('refuses %j, and shows the value', (options, shown) => {
    expect(() => new SessionClient({ redis: server.url, ...options })).toThrow(RangeError);
    expect(() => new SessionClient({ redis: server.url, ...options })).toThrow(shown);
  });

  it('refuses an address that cannot be right', () => {
    expect(() => new SessionClient({ redis: 'nowhere' })).toThrow(ConnectionOptionsError);
    expect(() => new SessionClient({ redis: { port: 0 } })).toThrow(ConnectionOptionsError);
  });

  it('waits 100 ms unless told', () => {
    const client = new SessionClient({ redis: server.url });
    onTestFinished(() => client.close());
    expect(client.deadlineMs).toBe(100);
    expect(client.session('a').leftMs).toBe(100);
    expect(client.namespace).toBe('sw');
  });

  it.each(['inbox', 'list'] as const)(
    'does not throw where Redis is away, and finds it when it comes (%s)',
    async (replies) => {
      const own = await startTestRedis();
      own.kill('SIGKILL');
      const client = open({ redis: own.url, replies });
      const told: string[] = [];
      const degraded: Degraded[] = [];
      client.on('up', () => told.push('up'));
      client.on('down', (error) => {
        expect(error).toBeInstanceOf(Error);
        told.push('down');
      });
      client.on('degraded', (event) => degraded.push(event));
      expect(await client.ready(20)).toBe(false);
      const handle = client.session('abc');
      for (let i = 0; i < 10; i += 1) expect(await handle.request('pageview', '/a')).toBeUndefined();
      expect(await handle.publish('pageview', '/a')).toBe(false);
      expect(client.counters).toEqual({
        requests: 10,
        messages: 10,
        replies: 0,
        publishes: 1,
        unheard: 1,
        degraded: { disconnected: 10 },
        lateReplies: 0,
      });
      expect(degraded).toHaveLength(10);
      await waitUntil('it is told', () => told.includes('down'));

      await own.restart();
      const there = await startService({ redis: own.url, secret: SECRET });
      onTestFinished(async () => {
        await there.stop();
        await own.stop();
      });
      expect(await client.ready()).toBe(true);
      expect(await handle.request('pageview', '/a')).toMatchObject({ totalPages: 1 });
      expect(told.at(-1)).toBe('up');
      expect(told.filter((event) => event === 'up')).toHaveLength(1);
    },
  );

  it('settles each request within its deadline where Redis has frozen, then stops waiting', async () => {
    const own = await startTestRedis();
    const there = await startService({ redis: own.url, secret: SECRET });
    onTestFinished(async () => {
      own.kill('SIGCONT');
      await there.stop();
      await own.stop();
    });
    const client = open({ redis: own.url, deadlineMs: 60 });
    expect(await client.ready()).toBe(true);
    own.kill('SIGSTOP');
    for (let i = 0; i < 8; i += 1) {
      const before = performance.now();
      expect(await client.session('abc').unseen(['/a'])).toBeUndefined();
      expect(performance.now() - before).toBeLessThan(60 + SLACK_MS);
    }
    expect(client.counters.degraded).toEqual({ deadline: 5, 'breaker-open': 3 });
    own.kill('SIGCONT');
    await waitUntil('it answers again', async () => (await client.session('abc').unseen(['/a'])) !== undefined);
    await waitUntil('late replies are counted', () => client.counters.lateReplies >= 1);
  });

  it('settles with undefined after it was closed', async () => {
    const client = await openReady();
    await client.close();
    const handle = client.session('abc');
    expect(await handle.request('pageview', '/a')).toBeUndefined();
    expect(await handle.publish('pageview', '/a')).toBe(false);
    expect(client.counters.degraded).toEqual({ disconnected: 1 });
    await client.close();
  });

  it('refuses at once what is more than may wait', async () => {
    const client = await openReady({ maxPending: 2 });
    const answers = await Promise.all([1, 2, 3, 4].map(() => client.request('surface', 'abc', ['/a'])));
    expect(answers).toEqual([['/a'], ['/a'], undefined, undefined]);
    expect(client.counters.degraded).toEqual({ overloaded: 2 });
  });

  it('keeps no process alive with what it closed', async () => {
    const client = open();
    await client.close();
    const away = new SessionClient({ redis: 'unix:///nowhere/redis.sock' });
    let lost = 0;
    away.on('down', () => {
      lost += 1;
    });
    await waitUntil('it tries', () => lost > 0);
    await away.close();
    const then = lost;
    await redis.command('PING');
    expect(lost).toBe(then);
  });
});
