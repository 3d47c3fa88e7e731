import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { Keys, partitionOf } from '../../../src/redis/index.ts';
import { type LoadedSession, recordOf, SessionData, type SessionDataOptions } from '../../../src/sessions/index.ts';
import { Sweeper } from '../../../src/sessions/maintenance/index.ts';
import { loggedIn, openSite, tokenIn } from '../../faults/session-store-stage.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { useRedis } from '../../support/use-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';

/* What lies under our keys and is not ours, or not readable: it is told as that, never taken for an absent session, and
 * left as it is. One such record harms no other session. */

const UNREADABLE = /^(SESSION_DATA|STORE_UNAVAILABLE)$/;

const server = useRedis();
const { redis } = server;
let namespace = '';
let namespaces = 0;

beforeEach(() => {
  namespaces += 1;
  namespace = `bad${namespaces}`;
});

function open(options: Partial<SessionDataOptions> = {}): SessionData {
  const data = new SessionData({ redis: server.url, namespace, deadlineMs: 20_000, sweep: false, ...options });
  onTestFinished(() => data.close());
  return data;
}

const recordKey = (token: string): string => new Keys(namespace).record(sessionOf(token));
const record = (token: string): Promise<Buffer> => redis.commandForBuffers<Buffer>('GET', recordKey(token));

/** Ways to spoil a record that was good; `header`: what can still be read of it. */
const spoilt: { name: string; header: 'bad' | 'good'; spoil: (key: string) => Promise<unknown> }[] = [
  {
    name: 'a list',
    header: 'bad',
    spoil: async (key) => {
      await redis.command('DEL', key);
      await redis.command('RPUSH', key, 'a', 'b');
    },
  },
  {
    name: 'a record of another format',
    header: 'bad',
    spoil: (key) => redis.command('SETRANGE', key, '0', Buffer.from([9])),
  },
  { name: 'random bytes', header: 'bad', spoil: (key) => redis.command('SET', key, new SeededRandom(1).bytes(200)) },
  { name: 'a few bytes', header: 'bad', spoil: (key) => redis.command('SET', key, 'short') },
  { name: 'no bytes', header: 'bad', spoil: (key) => redis.command('SET', key, '') },
  {
    name: 'a header and nonsense',
    header: 'good',
    spoil: async (key) => {
      const good = await redis.commandForBuffers<Buffer>('GET', key);
      await redis.command('SET', key, Buffer.concat([good.subarray(0, 70), Buffer.alloc(20, 0xff)]));
    },
  },
  {
    name: 'a record that was cut short',
    header: 'good',
    spoil: async (key) => {
      const good = await redis.commandForBuffers<Buffer>('GET', key);
      await redis.command('SET', key, good.subarray(0, good.length - 5));
    },
  },
];

describe.each(spoilt)('under a record key, $name', ({ header, spoil }) => {
  it('is an error for who loads it, and stays as it is', async () => {
    const data = open();
    const token = createToken();
    await data.save(token, { user: 'ada' });
    await spoil(recordKey(token));
    const there = await redis.commandForBuffers('DUMP', recordKey(token));
    const refused = [
      () => data.load(token),
      () => data.save(token, { user: 'bob' }),
      () => data.increment(token, 'n'),
      () => data.append(token, 'list', [1]),
    ];
    for (const ask of refused) {
      const error = (await ask().catch((reason: unknown) => reason)) as { code?: string };
      expect(String(error?.code)).toMatch(/^(SESSION_DATA|SESSION_GONE|STORE_UNAVAILABLE)$/);
      if (ask === refused[0]) expect(String(error?.code)).toMatch(UNREADABLE);
    }
    // What looks at the header only may go on with a good one; else it does nothing.
    if (header === 'bad') {
      for (const ask of [() => data.end(token), () => data.touch(token, {}), () => data.rotate(token)]) {
        expect([false, undefined, 'error']).toContain(await ask().catch(() => 'error'));
      }
    }
    expect(await redis.commandForBuffers('DUMP', recordKey(token))).toEqual(there);
  });

  it.each(['closed', 'open'] as const)('gives no cookie to its visitor (fail: %s)', async (fail) => {
    const site = await openSite({ redis: server.url, namespace, fail, deadlineMs: 20_000, sweep: false });
    onTestFinished(() => site.close());
    const visitor = await loggedIn(site, 'ada');
    const token = tokenIn(visitor.cookie);
    await spoil(recordKey(token));
    const there = await redis.commandForBuffers('DUMP', recordKey(token));
    for (const answer of [await visitor.get(), await visitor.post('/cart/x'), await visitor.post('/login/bob')]) {
      expect(answer.cookies).toEqual([]);
      if (fail === 'open' && answer.status === 200) expect(answer.body.degraded).toBe(true);
      else expect(answer.body.code).toMatch(UNREADABLE);
    }
    expect(tokenIn(visitor.cookie)).toBe(token);
    expect(await redis.commandForBuffers('DUMP', recordKey(token))).toEqual(there);
    // One bad record is no outage.
    expect(site.told).toEqual([]);
  });

  it.each(['sessionsOf', 'all', 'identify', 'endSessionsOf', 'clear'] as const)(
    'leaves the others alone: %s',
    async (operation) => {
      const data = open({ maxSessionsPerUser: 4 });
      const tokens = [createToken(), createToken(), createToken()];
      for (const token of tokens) {
        await data.save(token, { user: 'ada' });
        await data.identify(token, 'ada');
      }
      const [bad, ...good] = tokens as [string, string, string];
      await spoil(recordKey(bad));
      const ids = good.map(sessionOf).sort();
      if (operation === 'sessionsOf') {
        expect((await data.sessionsOf('ada')).map(({ session }) => session).sort()).toEqual(ids);
      } else if (operation === 'all') {
        expect((await data.all()).map((loaded) => data.infoOf(loaded).session).sort()).toEqual(ids);
        expect((await data.sessions()).sort()).toEqual(ids);
      } else if (operation === 'identify') {
        const next = createToken();
        await data.save(next, { user: 'ada' });
        expect(await data.identify(next, 'ada')).toEqual([]);
      } else {
        await (operation === 'clear' ? data.clear() : data.endSessionsOf('ada'));
        for (const token of good) expect(await data.load(token)).toBeUndefined();
      }
    },
  );

  it('does not keep the others of its partition from ending', async () => {
    const data = open({ idleMs: 1, touchEveryMs: 0 });
    const bad = createToken();
    const partition = partitionOf(sessionOf(bad));
    let other = createToken();
    while (partitionOf(sessionOf(other)) !== partition) other = createToken();
    await data.save(bad, { user: 'ada' });
    await spoil(recordKey(bad));
    await data.save(other, { user: 'bob' });
    const sweeper = new Sweeper(redis, namespace, { lifecycleLength: 100 });
    await waitUntil(
      'the other one has ended',
      async () => {
        await sweeper.sweep().catch(() => undefined);
        return (await redis.command('EXISTS', recordKey(other))) === 0;
      },
      3_000,
    );
  });
});

describe('the record of a session', () => {
  it('whose key was deleted is absent', async () => {
    const data = open();
    const token = createToken();
    const loaded = await data.save(token, { user: 'ada' });
    await redis.command('DEL', recordKey(token));
    expect(await data.load(token)).toBeUndefined();
    expect(await data.end(token)).toBe(false);
    expect(await data.touch(token, {})).toBe(false);
    // A save of what was loaded revives nothing.
    expect(await data.save(token, { user: 'bob' }, loaded)).toBeUndefined();
    expect(await record(token)).toBeNull();
    expect(await data.all()).toEqual([]);
  });

  it('with a field that is no JSON is an error for its visitor', async () => {
    const site = await openSite({ redis: server.url, namespace, deadlineMs: 20_000, sweep: false });
    onTestFinished(() => site.close());
    const visitor = await loggedIn(site, 'ada');
    const key = recordKey(tokenIn(visitor.cookie));
    const good = (await redis.commandForBuffers<Buffer>('GET', key)).toString('latin1');
    const bad = Buffer.from(good.replace('"ada"', '{ada}'), 'latin1');
    await redis.command('SET', key, bad);
    const { status, body, cookies } = await visitor.get();
    expect({ status, body, cookies }).toEqual({ status: 500, body: { code: 'SESSION_DATA' }, cookies: [] });
    expect(await redis.commandForBuffers('GET', key)).toEqual(bad);
  });

  it('is never read as another one, whatever bytes of it are changed', async () => {
    const random = new SeededRandom(42);
    const data = open();
    const sealed = open({ namespace: `${namespace}s`, encryption: { keys: [Buffer.alloc(32, 7)] } });
    for (const [store, ns] of [
      [data, namespace],
      [sealed, `${namespace}s`],
    ] as const) {
      const token = createToken();
      const key = new Keys(ns).record(sessionOf(token));
      await store.save(token, { user: 'ada', cart: ['one', 'two'], n: 12345 });
      const good = await redis.commandForBuffers<Buffer>('GET', key);
      let refused = 0;
      for (let i = 0; i < 500; i += 1) {
        const bytes = Buffer.from(good);
        const at = random.below(bytes.length);
        bytes[at] = random.below(256);
        await redis.command('SET', key, random.below(4) === 0 ? bytes.subarray(0, at) : bytes);
        const result = await store
          .load(token)
          .then(readValues)
          .catch((error: Error) => error);
        if (result instanceof Error) {
          refused += 1;
          expect((result as { code?: string }).code).toBe('SESSION_DATA');
        } else if (ns.endsWith('s') && result !== undefined) {
          // Sealed data are what was sealed, or an error.
          expect(result).toEqual({ user: 'ada', cart: ['one', 'two'], n: 12345 });
        }
      }
      expect(refused).toBeGreaterThan(50);
    }
  });
});

function readValues(loaded: LoadedSession | undefined): Record<string, unknown> | undefined {
  return loaded && recordOf(loaded).values(Date.now());
}
