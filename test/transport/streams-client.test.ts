import { describe, expect, it, onTestFinished } from 'vitest';
import { NotKeptError, SessionClient, type SessionClientOptions } from '../../src/index.ts';
import { type Service, type ServiceOptions, startService } from '../../src/service/index.ts';
import { STREAMS_ON_ONE_SERVER } from '../../src/transport/streams/stream-of.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { StreamProducer } from '../support/stream-producer.ts';
import { startTestRedis, type TestRedis } from '../support/test-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { startedAt } from './servers-under-test.ts';
import { TransportStage } from './transport-stage.ts';
import { openRedisTransport } from './transports-under-test.ts';

/* What the serving layer's client promises over streams. Each test has a Redis of its own. */

const SECRET = 'a secret of the tests, long enough';
const LONG_MS = 10_000;

async function startServer(options: Parameters<typeof startTestRedis>[0] = {}): Promise<TestRedis> {
  const server = await startTestRedis(options);
  onTestFinished(() => server.stop());
  return server;
}

async function connectProducer({ url }: TestRedis): Promise<StreamProducer> {
  const producer = await StreamProducer.connect(url);
  onTestFinished(() => producer.close());
  return producer;
}

async function startStreams({ url }: TestRedis, options: Partial<ServiceOptions> = {}): Promise<Service> {
  const service = await startService({ redis: url, secret: SECRET, transport: 'streams', ...options });
  onTestFinished(() => service.stop());
  return service;
}

async function openClient({ url }: TestRedis, options: Partial<SessionClientOptions> = {}): Promise<SessionClient> {
  const client = new SessionClient({ redis: url, transport: 'streams', deadlineMs: LONG_MS, ...options });
  onTestFinished(() => client.close());
  expect(await client.ready()).toBe(true);
  return client;
}

const failureOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => undefined).catch((error) => error);

describe('a stream that is full', () => {
  it('takes no more: views are dropped and counted, what must be kept is refused aloud', async () => {
    const server = await startServer();
    const client = await openClient(server, { maxBacklog: 4 * STREAMS_ON_ONE_SERVER });
    expect(await client.publish('pageview', 'abc', '/0')).toBe(true);
    expect(await client.publish('pageview', 'abc', '/1')).toBe(true);
    expect(await client.publish('pageview', 'abc', '/1')).toBe(true);
    expect(await client.publish('mark-item-seen', 'abc', 'x')).toBe(true);
    expect(await client.publish('pageview', 'abc', '/2')).toBe(false);
    const refused = await failureOf(client.publish('mark-item-seen', 'abc', 'y'));
    expect(refused).toBeInstanceOf(NotKeptError);
    expect(refused).toMatchObject({ code: 'BACKLOG_FULL' });
    expect((refused as Error).message).toContain('mark-item-seen');
    expect(await client.request('pageview', 'abc', '/3')).toBeUndefined();
    expect(client.counters).toMatchObject({ publishes: 6, unheard: 2, degraded: { 'backlog-full': 1 } });
    // A partition's share is its own.
    const producer = await connectProducer(server);
    expect(producer.streamOf('other')).not.toBe(producer.streamOf('abc'));
    expect(await client.publish('pageview', 'other', '/1')).toBe(true);
    expect(await producer.waiting('abc')).toBe(4);

    await startStreams(server);
    await waitUntil('there is room', async () => (await producer.waiting('abc')) === 0);
    expect(await client.publish('mark-item-seen', 'abc', 'y')).toBe(true);
    expect(await client.request('surface', 'abc', ['/1', '/2', 'x', 'y', 'z'])).toEqual(['/2', 'z']);
    expect(await client.request('session-analytics', 'abc', '')).toMatchObject({ totalPages: 3 });
  });

  it('takes exactly as many as it may hold from one client, however many are sent at once', async () => {
    const server = await startServer();
    const client = await openClient(server, { maxBacklog: 40 * STREAMS_ON_ONE_SERVER });
    const producer = await connectProducer(server);
    let taken = 0;
    for (let burst = 0; burst < 4; burst += 1) {
      const sent = await Promise.all(Array.from({ length: 19 }, (_, i) => client.publish('pageview', 'abc', `/${i}`)));
      taken += sent.filter(Boolean).length;
    }
    expect(taken).toBe(40);
    expect(await producer.waiting('abc')).toBe(40);
  });

  it('is far from full for most requests: those are added with XADD and no script', async () => {
    const server = await startServer();
    const client = await openClient(server);
    const producer = await connectProducer(server);
    await producer.redis.command('CONFIG', 'RESETSTAT');
    expect(await client.publish('pageview', 'abc', '/first')).toBe(true);
    await Promise.all(Array.from({ length: 500 }, (_, i) => client.publish('pageview', 'abc', `/${i}`)));
    const info = await producer.redis.command<string>('INFO', 'commandstats');
    const calls = (name: string): number =>
      Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, 'm').exec(info)?.[1] ?? 0);
    expect([calls('xadd'), calls('eval') + calls('evalsha')]).toEqual([501, 1]);
  });

  it('of questions still has room for what changes something', async () => {
    const server = await startServer();
    const client = await openClient(server, { maxBacklog: 40 * STREAMS_ON_ONE_SERVER });
    const producer = await connectProducer(server);
    await Promise.all(
      Array.from({ length: 30 }, () => client.request('surface', 'abc', ['/1'], { deadlineMs: 1_000 })),
    );
    expect(client.counters.degraded).toEqual({ deadline: 10, 'backlog-full': 20 });
    for (let i = 0; i < 30; i += 1) expect(await client.publish('pageview', 'abc', `/${i}`)).toBe(true);
    expect(await client.publish('pageview', 'abc', '/more')).toBe(false);
    expect(await producer.waiting('abc')).toBe(40);
  });

  it('is not filled by questions where it is known that nobody is there', async () => {
    const server = await startServer();
    const { requester, ready } = openRedisTransport(server.url, { routeOf: () => 'streams' });
    onTestFinished(() => requester.close());
    await ready();
    const producer = await connectProducer(server);
    const nobodyListens = { answered: false, reason: 'nobody-listens' };
    await waitUntil('it knows', async () => {
      const outcome = await requester.request('pageview', 'abc', '/a', 20);
      return !outcome.answered && outcome.reason === 'nobody-listens';
    });
    const waiting = await producer.waiting('abc');
    for (let i = 0; i < 20; i += 1) {
      expect(await requester.request('surface', 'abc', '["/a"]', LONG_MS)).toEqual(nobodyListens);
      expect(await requester.probe('pageview', 'abc', LONG_MS)).toBe(false);
    }
    expect(await producer.waiting('abc')).toBe(waiting);
    // A view is kept all the same.
    expect(await requester.request('pageview', 'abc', '/a', LONG_MS)).toEqual(nobodyListens);
    expect(await producer.waiting('abc')).toBe(waiting + 1);
  });
});

describe('streams over a Redis that has reached maxmemory', () => {
  it('refuses what is new, and what waits is still done', async () => {
    const server = await startServer();
    const producer = await connectProducer(server);
    const first = await startStreams(server);
    await first.stop();
    const client = await openClient(server, { keepDeadlineMs: LONG_MS });
    const sessions = Array.from({ length: 100 }, (_, i) => `session-${i}`);
    for (const session of sessions) {
      expect(await client.publish('pageview', session, '/a')).toBe(true);
      expect(await client.publish('mark-item-seen', session, ['x', 'y'])).toBe(true);
      expect(await client.publish('mark-notification-seen', session, ['n'])).toBe(true);
    }
    await producer.redis.command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      expect(await client.publish('pageview', 'abc', '/a')).toBe(false);
      expect(await client.request('pageview', 'abc', '/a')).toBeUndefined();
      expect(client.counters.degraded).toEqual({ 'backlog-full': 1 });
      const before = performance.now();
      expect(await failureOf(client.publish('mark-item-seen', 'abc', 'x'))).toMatchObject({ code: 'BACKLOG_FULL' });
      expect(performance.now() - before).toBeLessThan(LONG_MS / 2);

      const service = await startStreams(server);
      for (const session of sessions) {
        await waitUntil('nothing waits', async () => (await producer.waiting(session)) === 0);
        expect(await producer.deadLetters(session)).toEqual([]);
      }
      const inline = new SessionClient({ transport: service.inline, deadlineMs: LONG_MS });
      for (const session of sessions) {
        expect(await inline.request('surface', session, ['/a', 'x', 'y', 'z'])).toEqual(['z']);
        expect(await inline.request('notifications', session, ['n'])).toEqual([{ id: 'n', seen: true }]);
      }
      await inline.close();
    } finally {
      await producer.redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
    expect(await client.publish('mark-item-seen', 'abc', 'x')).toBe(true);
    expect(await client.request('surface', 'abc', ['x', 'y'])).toEqual(['y']);
  });
});

describe('what a client of streams must keep', () => {
  it('is taken once, though Redis was killed and started again meanwhile', async () => {
    const server = await startServer({ persistence: true });
    const client = await openClient(server, { keepDeadlineMs: 20_000 });
    const sessions = Array.from({ length: 200 }, (_, i) => `session-${i}`);
    const kept = sessions.map((session, i) => {
      const page = client.publish('mark-notification-seen', session, [`n${i}`]);
      if (i === 100) server.kill('SIGKILL');
      return page;
    });
    await server.restart();
    expect(await Promise.all(kept)).toEqual(sessions.map(() => true));
    await startStreams(server);
    for (const [i, session] of sessions.entries()) {
      expect(await client.request('notifications', session, [`n${i}`, 'other'])).toEqual([
        { id: `n${i}`, seen: true },
        { id: 'other', seen: false },
      ]);
    }
    expect(client.counters).toMatchObject({ publishes: 200, unheard: 0, degraded: {} });
  });

  it('is refused within its deadline where Redis is away, or frozen', async () => {
    const server = await startServer();
    const client = await openClient(server, { keepDeadlineMs: 300 });
    server.kill('SIGSTOP');
    const before = performance.now();
    const frozen = await failureOf(client.publish('mark-item-seen', 'abc', 'x'));
    server.kill('SIGCONT');
    expect(frozen).toBeInstanceOf(NotKeptError);
    expect(frozen).toMatchObject({ code: 'NOT_KEPT' });
    server.kill('SIGKILL');
    const away = await failureOf(client.publish('mark-item-seen', 'abc', 'x'));
    expect(away).toMatchObject({ code: 'NOT_KEPT' });
    expect(performance.now() - before).toBeLessThan(600 + 2_000);
    // A view is not worth the trouble.
    expect(await client.publish('pageview', 'abc', '/a')).toBe(false);
    expect(client.counters).toMatchObject({ publishes: 3, unheard: 3 });
  });
});

describe('each session over streams', () => {
  it('is served in the order in which its requests were added, by whomever', async () => {
    const [sessions, producers, each] = [200, 4, 25];
    const server = await startServer();
    const stage = new TransportStage(['streams']);
    await stage.start(startedAt(server.url));
    onTestFinished(() => stage.stop());
    const random = new SeededRandom(3);
    const served = new Map<string, string[]>();
    stage.dispatch = async (_, session, payload) => {
      for (let turns = random.below(4); turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve));
      served.set(session, [...(served.get(session) ?? []), payload]);
      return '1';
    };
    const added = new Map<string, { payload: string; id: string }[]>();
    const produce = async (p: number): Promise<void> => {
      const producer = await connectProducer(server);
      for (let i = 0; i < each; i += 1) {
        await Promise.all(
          Array.from({ length: sessions }, async (_, s) => {
            const session = `session-${s}`;
            const id = await producer.ask('pageview', session, `_${p}-${i}`, `${p}-${i}`);
            added.set(session, [...(added.get(session) ?? []), { payload: `${p}-${i}`, id }]);
          }),
        );
      }
    };
    await Promise.all(Array.from({ length: producers }, (_, p) => produce(p)));
    const count = sessions * producers * each;
    const servedCount = (): number => [...served.values()].reduce((sum, { length }) => sum + length, 0);
    await waitUntil('all are served', () => servedCount() >= count, 25_000);
    expect(stage.heard).toHaveLength(count);
    for (const [session, entries] of added) {
      const inOrder = entries.sort((one, other) => (isBefore(one.id, other.id) ? -1 : 1)).map(({ payload }) => payload);
      expect(served.get(session)).toEqual(inOrder);
    }
  });
});

function isBefore(one: string, other: string): boolean {
  const [[ms, n], [otherMs, otherN]] = [one, other].map((id) => id.split('-').map(Number)) as [number[], number[]];
  return ms! === otherMs! ? n! < otherN! : ms! < otherMs!;
}
