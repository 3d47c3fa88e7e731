import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { inboxChannel, replyKey } from '../../src/protocol/index.ts';
import { partitionOf } from '../../src/redis/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { DeadLetters } from '../../src/transport/streams/dead-letters.ts';
import { PayloadSeal } from '../../src/transport/streams/payload-seal.ts';
import { STREAMS_ON_ONE_SERVER, streamOf } from '../../src/transport/streams/stream-of.ts';
import { metricOf } from '../support/metric-of.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { StreamProducer } from '../support/stream-producer.ts';
import { startTestRedis } from '../support/test-redis.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* What a producer of another make may rely on that only does XADD: docs/protocol.md. */

const SECRET = 'a secret of the tests, long enough';

const server = useRedis({ eachTest: 'kept' });
let service: Service;
let producer: StreamProducer;
let inline: SessionClient;
let lastSession = 0;

beforeAll(async () => {
  service = await startService({ redis: server.url, secret: SECRET, transport: 'streams' });
  producer = await StreamProducer.connect(server.url);
  inline = new SessionClient({ transport: service.inline, deadlineMs: 10_000 });
});
afterAll(async () => {
  await inline?.close();
  await producer?.close();
  await service?.stop();
});

function newSession(): string {
  lastSession += 1;
  return `session-${lastSession}`;
}

async function viewsOf(session: string): Promise<number | undefined> {
  return (await inline.request('session-analytics', session, ''))?.totalPages;
}

const untilDone = (session: string): Promise<void> =>
  waitUntil('nothing waits', async () => (await producer.waiting(session)) === 0);

/** A metric of how requests from streams ended. */
const ended = (outcome: string): Promise<number> => metricOf(service.metrics.streamRequests, { outcome });

describe('the request id of a stream entry', () => {
  it('that begins with _ wants no reply', async () => {
    const session = newSession();
    await producer.ask('pageview', session, '_1', '/a');
    await producer.ask('pageview', session, '_inbox.2', '/b');
    await untilDone(session);
    expect(await viewsOf(session)).toBe(2);
    expect(await producer.redis.command('KEYS', 'async:*')).toEqual([]);
  });

  it('that is plain is answered on a list', async () => {
    const session = newSession();
    await producer.ask('pageview', session, 'r1', '/a', 5_000);
    const key = replyKey('sw', { command: 'pageview', session, request: 'r1' });
    const popped = await producer.redis.duplicate().connect();
    onTestFinished(() => popped.close());
    const [, json] = await popped.command<[string, string]>('BLPOP', key, '5');
    expect(JSON.parse(json)).toMatchObject({ totalPages: 1, newToSite: true });
    expect(await producer.redis.command('EXISTS', key)).toBe(0);
  });

  it('with a dot and a number is answered on an inbox', async () => {
    const session = newSession();
    const inbox = await producer.redis.duplicate().connect();
    onTestFinished(() => inbox.close());
    const heard: string[] = [];
    await inbox.subscribe(inboxChannel('sw', 'mine'), (message) => heard.push(message));
    await producer.ask('surface', session, 'mine.7', '["/a"]');
    await waitUntil('the reply came', () => heard.length > 0);
    expect(heard).toEqual(['7 ["/a"]']);
  });

  it('counts once where it is sent again, at once or after it was done', async () => {
    const session = newSession();
    const before = await ended('repeated');
    await Promise.all([1, 2, 3].map(() => producer.ask('pageview', session, '_same', '/a')));
    await untilDone(session);
    await producer.ask('pageview', session, '_same', '/a');
    await untilDone(session);
    expect(await viewsOf(session)).toBe(1);
    expect((await ended('repeated')) - before).toBe(3);
  });

  it('of one session says nothing of another session', async () => {
    // In one partition, because they lie in one stream.
    const [one, other] = [1, 2].map(() => sameStreamSession('b'));
    await producer.ask('pageview', one!, '_r', '/a');
    await producer.ask('pageview', other!, '_r', '/a');
    await untilDone(one!);
    expect([await viewsOf(one!), await viewsOf(other!)]).toEqual([1, 1]);
  });
});

/** Another session each time, all in one stream. */
function sameStreamSession(prefix: string): string {
  const stream = producer.streamOf('neighbours');
  for (;;) {
    const session = `${prefix}-${newSession()}`;
    if (producer.streamOf(session) === stream) return session;
  }
}

describe('a stream entry on the wire', () => {
  it('may stand in the stream of its own partition, which nothing else may have used', async () => {
    let session = newSession();
    while (partitionOf(session) < STREAMS_ON_ONE_SERVER) session = newSession();
    const own = producer.keys.requests(partitionOf(session));
    expect(own).not.toBe(producer.streamOf(session));
    await producer.redis.command('XADD', own, '*', 'c', 'pageview', 's', session, 'r', '_1', 'p', '/a');
    await waitUntil('it is done', async () => (await producer.redis.command('XLEN', own)) === 0);
    expect(await viewsOf(session)).toBe(1);
  });

  it('may have its fields in any order, and others beside them', async () => {
    const session = newSession();
    await producer.add(session, 'x', '1', 'p', '/a', 'r', '_1', 'later', '', 's', session, 'c', 'pageview');
    await untilDone(session);
    expect(await viewsOf(session)).toBe(1);
    expect((await producer.deadLetters(session)).filter(({ s }) => s === session)).toEqual([]);
  });

  it('that is malformed lands in the dead letters and holds nobody up', async () => {
    const session = sameStreamSession('m');
    const request = (...fields: string[]): string[] => ['c', 'pageview', 's', session, 'r', '_1', 'p', '/a', ...fields];
    const without = (name: string): string[] => {
      const fields = request();
      const at = fields.indexOf(name);
      return [...fields.slice(0, at), ...fields.slice(at + 2)];
    };
    const malformed: (string | Buffer)[][] = [
      ['nonsense', 'x'],
      ['', ''],
      ...['c', 's', 'r', 'p'].map(without),
      request('c', 'Not A Command'),
      request('s', 'a:b'),
      request('s', 'x'.repeat(129)),
      request('r', 'a.b.c'),
      request('r', '_1@'),
      request('d', '-1'),
      request('d', 'soon'),
      request('d', '99999999999'),
      ['c', 'pageview', 's', Buffer.from([0xff, 0xfe]), 'r', '_1', 'p', '/a'],
      ['__proto__', 'c', 'constructor', 's', 'toString', 'r'],
      ['big', 'x'.repeat(1_000_000)],
      // Of another partition: its keys lie in another slot.
      request('s', 'stranger'),
    ];
    expect(producer.streamOf('stranger')).not.toBe(producer.streamOf(session));
    const before = await ended('dead-letter');
    let views = 0;
    for (const fields of malformed) {
      await producer.add(session, ...fields);
      views += 1;
      await producer.ask('pageview', session, `_good-${views}`, `/${views}`);
    }
    await untilDone(session);
    expect(await viewsOf(session)).toBe(views);
    expect((await ended('dead-letter')) - before).toBe(malformed.length);
    const letters = await producer.deadLetters(session);
    expect(letters).toHaveLength(malformed.length);
    for (const { reason, p, bytes } of letters) {
      expect(reason).toMatch(bytes === undefined ? /^malformed/ : /^malformed|too large/);
      // Of one that is too large only its length.
      if (bytes === undefined) expect(p!.length).toBeLessThanOrEqual(1_000);
      else expect([p, bytes]).toEqual([undefined, '1000003']);
    }
    expect(letters[0]).toMatchObject({ p: '["nonsense","x"]' });
  });

  it('whose payload the command refuses is answered with an error, and is no dead letter', async () => {
    const session = newSession();
    const client = new SessionClient({ redis: server.url, transport: 'streams', deadlineMs: 10_000 });
    onTestFinished(() => client.close());
    expect(await client.ready()).toBe(true);
    const reasons: string[] = [];
    client.on('degraded', ({ reason }) => reasons.push(reason));
    expect(await client.request('pageview', session, '')).toBeUndefined();
    expect(await client.request('pageview', session, '/'.repeat(70_000))).toBeUndefined();
    expect(reasons).toEqual(['bad-payload', 'too-large']);
    expect((await producer.deadLetters(session)).filter(({ s }) => s === session)).toEqual([]);
    expect(await producer.waiting(session)).toBe(0);
  });
});

describe('a stream entry that this service cannot do', () => {
  it('is kept as a dead letter where the command is of another version', async () => {
    const session = newSession();
    const client = new SessionClient({ redis: server.url, transport: 'streams', deadlineMs: 10_000 });
    onTestFinished(() => client.close());
    expect(await client.ready()).toBe(true);
    const reasons: string[] = [];
    client.on('degraded', ({ reason }) => reasons.push(reason));
    // @ts-expect-error there is no such command
    expect(await client.request('of-version-9', session, 'x')).toBeUndefined();
    expect(reasons).toEqual(['bad-payload']);
    await untilDone(session);
    expect((await producer.deadLetters(session)).at(-1)).toMatchObject({
      c: 'of-version-9',
      p: 'x',
      reason: 'this version of the service does not know the command',
    });
  });

  it('counts once where its twin was done before it is retried', async () => {
    const session = newSession();
    const partition = streamOf(session, producer.redis);
    const letters = new DeadLetters(producer.redis, producer.keys, new PayloadSeal(SECRET, 'sw'));
    // As if the first of two under one id had been given up, and the second was done.
    const fields = ['c', 'pageview', 's', session, 'r', '_twin', 'p', '/a', 'd', '0', 'reason', 'ended its service'];
    const id = await producer.redis.command<string>('XADD', producer.keys.deadLetters(partition), '*', ...fields);
    await producer.ask('pageview', session, '_twin', '/a');
    await untilDone(session);
    const repeated = await ended('repeated');
    await letters.retry(`${partition}/${id}`);
    await untilDone(session);
    expect(await viewsOf(session)).toBe(1);
    expect((await ended('repeated')) - repeated).toBe(1);
  });

  it('and a stream that cannot be read hold up no other partition, and are told', async () => {
    const own = await startTestRedis();
    const log = new RecordingLog();
    const other = await startService({ redis: own.url, secret: SECRET, transport: 'streams', log });
    const asking = await StreamProducer.connect(own.url);
    const client = new SessionClient({ redis: own.url, transport: 'streams', deadlineMs: 10_000 });
    onTestFinished(async () => {
      await Promise.all([client.close(), asking.close(), other.stop()]);
      await own.stop();
    });
    expect(await client.ready()).toBe(true);
    const [well, ill] = ['abc', 'abd'];
    expect(partitionOf(well)).not.toBe(partitionOf(ill));
    await asking.redis.command('SET', asking.streamOf(ill), 'no stream');
    await waitUntil('it is told', () => log.with('cannot be worked off').length > 0);
    for (let views = 1; views <= 20; views += 1) {
      expect(await client.request('pageview', well, '/a')).toMatchObject({ totalPages: views });
    }
    await asking.redis.command('DEL', asking.streamOf(ill));
    await waitUntil('it is served again', async () => (await client.request('pageview', ill, '/a')) !== undefined);
  });
});

describe('stream entries that were added while no service ran', () => {
  it('are done in their order, and not answered after their deadline', async () => {
    const own = await startTestRedis();
    const adding = await StreamProducer.connect(own.url);
    onTestFinished(async () => {
      await adding.close();
      await own.stop();
    });
    await adding.ask('pageview', 'abc', 'late', '/a', 1);
    await adding.ask('pageview', 'abc', '_2', '/b');
    await adding.ask('surface', 'abc', 'patient', '["/a","/b","/c"]', 60_000);
    const there = await startService({ redis: own.url, secret: SECRET, transport: 'streams' });
    onTestFinished(() => there.stop());
    const waiting = await adding.redis.duplicate().connect();
    onTestFinished(() => waiting.close());
    const key = (command: string, request: string): string => replyKey('sw', { command, session: 'abc', request });
    expect(await waiting.command('BLPOP', key('surface', 'patient'), '10')).toEqual([
      key('surface', 'patient'),
      '["/c"]',
    ]);
    expect(await adding.redis.command('EXISTS', key('pageview', 'late'))).toBe(0);
    expect(await metricOf(there.metrics.streamRequests, { outcome: 'unanswered' })).toBe(1);
    const client = new SessionClient({ transport: there.inline, deadlineMs: 10_000 });
    expect(await client.request('session-analytics', 'abc', '')).toMatchObject({ totalPages: 2 });
    await client.close();
  });

  it('count once where a producer tries again, also when another instance did the first', async () => {
    const own = await startTestRedis();
    const adding = await StreamProducer.connect(own.url);
    onTestFinished(async () => {
      await adding.close();
      await own.stop();
    });
    for (let round = 0; round < 3; round += 1) {
      await adding.ask('pageview', 'abc', '_same', '/a');
      await adding.ask('pageview', 'abc', '_same', '/a');
      const there = await startService({ redis: own.url, secret: SECRET, transport: 'streams' });
      await waitUntil('nothing waits', async () => (await adding.waiting('abc')) === 0);
      const client = new SessionClient({ transport: there.inline, deadlineMs: 10_000 });
      expect(await client.request('session-analytics', 'abc', '')).toMatchObject({ totalPages: 1 });
      await client.close();
      await there.stop();
    }
  });
});
