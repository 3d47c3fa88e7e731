import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SEEN_ITEMS_DEFAULTS } from '../../../src/knowledge/index.ts';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { createConnection } from '../../../src/redis/index.ts';
import { Archiver, type ArchiverOptions } from '../../../src/sessions/archive/archiver.ts';
import type { ArchivedSession, ArchiveFunction } from '../../../src/sessions/archived-session.ts';
import { recordOf, SessionData, type SessionDataOptions } from '../../../src/sessions/index.ts';
import { Sweeper } from '../../../src/sessions/maintenance/index.ts';
import { startTestRedis } from '../../support/test-redis.ts';
import { useTestData } from '../../support/use-test-data.ts';
import { waitUntil } from '../../support/wait-until.ts';

const KEPT_MS = 30 * 86_400_000;

const stage = useTestData();
let store: SessionData;

beforeAll(async () => {
  store = openStore();
});
afterAll(async () => {
  await store?.close();
});

function openStore(options: Partial<SessionDataOptions> = {}): SessionData {
  return new SessionData({ redis: stage.server.url, sweep: false, deadlineMs: 10_000, ...options });
}

/** Starts an archiver with short pauses, and stops it when the test is over. */
async function archiving(archive: ArchiveFunction, options: Partial<ArchiverOptions> = {}): Promise<Archiver> {
  const archiver = new Archiver(stage.redis, 'sw', archive, {
    lifecycleLength: 10_000,
    intervalMs: 10,
    firstPauseMs: 10,
    longestPauseMs: 100,
    ...options,
  });
  onTestFinished(() => archiver.stop());
  return archiver.start();
}

/** Takes whatever comes. */
function collecting(): { readonly taken: ArchivedSession[]; readonly archive: ArchiveFunction } {
  const taken: ArchivedSession[] = [];
  return { taken, archive: async (ended) => void taken.push(ended) };
}

async function saveSessions(count: number, values: object = {}): Promise<string[]> {
  const tokens = Array.from({ length: count }, () => createToken());
  await Promise.all(tokens.map((token) => store.save(token, values)));
  return tokens;
}

const endAll = (tokens: string[]) => Promise.all(tokens.map((token) => store.end(token)));

const keys = async () => (await stage.redis.command<string[]>('KEYS', '*')).sort();

/** What must not be there when a session is gone: everything that carries its name, and that it waits. */
async function traces(token: string): Promise<string[]> {
  const session = sessionOf(token);
  const named = (await keys()).filter((key) => key.includes(session));
  return [...named, ...(await keys()).filter((key) => /@(ended|failed|due|user)/.test(key))];
}

const countWaiting = async () => {
  const sets = (await keys()).filter((key) => /@(ended|failed)$/.test(key));
  const counts = await Promise.all(sets.map((key) => stage.redis.command<number>('ZCARD', key)));
  return counts.reduce((sum, count) => sum + count, 0);
};

async function lifecycleOf(session: string): Promise<string[]> {
  const entries = await stage.redis.command<[string, string[]][]>('XRANGE', 'sw:lifecycle', '-', '+');
  return entries.filter(([, fields]) => fields[3] === session).map(([, fields]) => fields[1]!);
}

describe('archiver: an archived session', () => {
  it('is all that was known of it, and then gone but for what keeps it ended', async () => {
    const { taken, archive } = collecting();
    const archiver = await archiving(archive);
    const told: unknown[] = [];
    archiver.on('archived', (event) => told.push(event));
    const token = createToken();
    const session = sessionOf(token);
    const cookie = { originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000), path: '/' };
    const loaded = await store.save(token, { cookie, cart: ['a', { b: null }], name: 'Ann' });
    await store.identify(token, 'ann@example.org', { device: 'Firefox on Linux' }, loaded);
    for (const [i, page] of [11, 12, 11, 13].entries()) {
      await stage.knowledge.recordView(session, page, { at: stage.clock.now + i * 60_000 });
    }
    const known = await stage.knowledge.read(session).visit(stage.clock.now);
    expect(known).toMatchObject({ totalPages: 4, uniquePages: 3, activeMinutes: 4 });
    const before = store.now();
    await store.end(token);
    await waitUntil('it is archived', () => told.length === 1);
    expect(taken).toEqual([
      {
        namespace: 'sw',
        session,
        userId: 'ann@example.org',
        device: 'Firefox on Linux',
        reason: 'ended',
        createdAt: recordOf(loaded!).header.createdAt,
        lastSeenAt: recordOf(loaded!).header.lastSeenAt,
        endedAt: expect.any(Number),
        data: { cart: ['a', { b: null }], name: 'Ann' },
        activity: {
          totalPages: known.totalPages,
          uniquePages: known.uniquePages,
          uniquePagesExact: known.uniquePagesExact,
          activeMinutes: known.activeMinutes,
          firstActiveMinute: known.firstActiveMinute,
        },
      },
    ]);
    expect(Math.abs(taken[0]!.endedAt - before)).toBeLessThan(5_000);
    expect(told).toEqual([{ session, endedAt: taken[0]!.endedAt }]);
    expect(await lifecycleOf(session)).toEqual(['created', 'identified', 'ended', 'archived']);

    // A request that began before the logout may still save.
    const record = stage.keys.record(session);
    expect((await traces(token)).sort()).toEqual([stage.keys.subject(session), record]);
    expect(await stage.redis.command('STRLEN', stage.keys.subject(session))).toBe(0);
    expect(await stage.redis.command('STRLEN', record)).toBe(70);
    expect(await stage.redis.command<number>('PTTL', record)).toBeGreaterThan(3_500_000);
    expect(await store.save(token, { name: 'Ann' }, undefined, { isNew: true })).toBeUndefined();
    expect(await store.load(token)).toBeUndefined();
  });

  it('leaves nothing where it has expired', async () => {
    const { taken, archive } = collecting();
    await archiving(archive);
    const short = openStore({ idleMs: 50, touchEveryMs: 0 });
    onTestFinished(() => short.close());
    const token = createToken();
    await store.save(token, { a: 1 });
    await store.identify(token, 'ann');
    await stage.knowledge.recordView(sessionOf(token), 11);
    await short.touch(token, {});
    const sweeper = new Sweeper(stage.redis, 'sw', { lifecycleLength: 100 });
    await waitUntil('it is archived', async () => (await sweeper.sweep()) + taken.length > 0 && taken.length > 0);
    await waitUntil('nothing is left', async () => (await traces(token)).length === 0);
    expect(taken).toMatchObject([{ reason: 'expired', userId: 'ann', data: { a: 1 }, activity: { totalPages: 1 } }]);
    expect(await lifecycleOf(sessionOf(token))).toEqual(['created', 'identified', 'expired', 'archived']);
    expect(await short.save(token, { b: 1 }), 'it may begin anew').toBeDefined();
  });

  it('counts as the service does where pages and minutes have outgrown the record', async () => {
    const { taken, archive } = collecting();
    await archiving(archive);
    const [token] = await saveSessions(1);
    const session = sessionOf(token!);
    const knowledge = stage.with({ seen: { ...SEEN_ITEMS_DEFAULTS, exactLimit: 100 } });
    for (let i = 0; i < 150; i += 1) {
      await knowledge.recordView(session, 1_000 + i, { at: stage.clock.now + i * 3_600_000 });
    }
    const known = await knowledge.read(session).visit(stage.clock.now);
    expect(known).toMatchObject({ uniquePagesExact: false, activeMinutes: 150 });
    expect(await stage.redis.command<number>('HLEN', stage.keys.days(session))).toBeGreaterThan(1);
    await store.end(token!);
    await waitUntil('it is archived', () => taken.length === 1);
    const { totalPages, uniquePages, uniquePagesExact, activeMinutes, firstActiveMinute } = known;
    expect(taken[0]!.activity).toEqual({
      totalPages,
      uniquePages,
      uniquePagesExact,
      activeMinutes,
      firstActiveMinute: firstActiveMinute!,
    });
    await waitUntil('no large form is left', async () => (await traces(token!)).length === 2);
  });

  it('has no activity where none is known, and no user where there is none', async () => {
    const { taken, archive } = collecting();
    await archiving(archive);
    await endAll(await saveSessions(1));
    await waitUntil('it is archived', () => taken.length === 1);
    expect(taken[0]).toMatchObject({ activity: null, data: {} });
    expect(Object.keys(taken[0]!)).not.toContain('userId');
  });

  it('comes the oldest first', async () => {
    const { taken, archive } = collecting();
    const tokens = await saveSessions(20);
    const first = await archiving(archive);
    await first.stop();
    for (const token of tokens) {
      const before = store.now();
      await waitUntil('the clock goes on', () => store.now() > before);
      await store.end(token);
    }
    await archiving(archive, { parallel: 1 });
    await waitUntil('all are archived', () => taken.length === 20);
    const ends = taken.map(({ endedAt }) => endedAt);
    expect(ends).toEqual([...ends].sort((one, other) => one - other));
    expect(new Set(ends).size).toBeGreaterThan(10);
  });
});

describe('archiver: where there is none', () => {
  it('nothing is kept', async () => {
    const [token] = await saveSessions(1, { a: 1 });
    await store.end(token!);
    expect(await stage.redis.command('STRLEN', stage.keys.record(sessionOf(token!)))).toBe(70);
    expect(await countWaiting()).toBe(0);
  });

  it('ended sessions are kept for seven days after the last one stopped', async () => {
    const archiver = await archiving(async () => {});
    await archiver.stop();
    const armed = (await keys()).filter((key) => key.endsWith(':@archiving'));
    expect(armed).toHaveLength(64);
    const left = await Promise.all(armed.map((key) => stage.redis.command<number>('PTTL', key)));
    expect(Math.min(...left)).toBeGreaterThan(7 * 86_400_000 - 60_000);
    expect(Math.max(...left)).toBeLessThanOrEqual(7 * 86_400_000);
    await endAll(await saveSessions(3, { a: 1 }));
    expect(await countWaiting()).toBe(3);
  });
});

describe('archiver: a session that cannot be archived', () => {
  it('is tried again, with growing pauses, and kept all the while', async () => {
    const at: number[] = [];
    const [token] = await saveSessions(1, { a: 1 });
    const session = sessionOf(token!);
    await stage.knowledge.recordView(session, 11);
    // It may have parts that this record does not name.
    await stage.redis.command('SET', stage.keys.seenFilter(session, 'page'), 'a filter');
    let works = false;
    const archiver = await archiving(
      async () => {
        at.push(performance.now());
        if (!works) throw new Error('no');
      },
      { firstPauseMs: 20, longestPauseMs: 80, parallel: 100 },
    );
    const failures: { attempts: number; message: string }[] = [];
    archiver.on('failed', ({ message }, { attempts }) => failures.push({ attempts, message }));
    await store.end(token!);
    const kept = [stage.keys.record(session), stage.keys.subject(session), stage.keys.seenFilter(session, 'page')];
    for (const key of kept) await stage.redis.command('PEXPIRE', key, '60000');
    await waitUntil('it was tried six times', () => failures.length >= 6);
    for (const key of kept) {
      expect(await stage.redis.command<number>('PTTL', key), key).toBeGreaterThan(KEPT_MS - 60_000);
    }
    expect(failures.slice(0, 6).map(({ attempts }) => attempts)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(failures[0]!.message).toBe('no');
    // Never earlier than the pause: 20, 40, 80, 80, 80 ms.
    const pauses = at.slice(1, 6).map((time, i) => time - at[i]!);
    for (const [i, least] of [20, 40, 80, 80, 80].entries()) expect(pauses[i]).toBeGreaterThan(least - 5);
    works = true;
    await waitUntil('it is archived', async () => (await countWaiting()) === 0);
    expect(await lifecycleOf(session)).toEqual(['created', 'ended', 'archived']);
  });

  it('is given up for now where the archive does not settle, and comes again as the same', async () => {
    const taken: ArchivedSession[] = [];
    const archiver = await archiving(
      (ended) => {
        taken.push(ended);
        return taken.length < 3 ? new Promise(() => {}) : Promise.resolve();
      },
      { deadlineMs: 30 },
    );
    const failures: Error[] = [];
    archiver.on('failed', (error) => failures.push(error));
    await endAll(await saveSessions(1, { a: 1 }));
    await waitUntil('it is archived', async () => taken.length === 3 && (await countWaiting()) === 0);
    expect(taken[1]).toEqual(taken[0]);
    expect(taken[2]).toEqual(taken[0]);
    expect(failures).toMatchObject([{ code: 'ARCHIVE_TIMEOUT' }, { code: 'ARCHIVE_TIMEOUT' }]);
  });

  it('holds up no other, however many there are', async () => {
    const bad = new Set<string>();
    const taken: string[] = [];
    const first = await archiving(async () => {});
    await first.stop();
    // The bad ones are the oldest, and stand before the good ones in every partition.
    const badTokens = await saveSessions(300);
    for (const token of badTokens) bad.add(sessionOf(token));
    await endAll(badTokens);
    const goodTokens = await saveSessions(300);
    await endAll(goodTokens);
    const archiver = await archiving(async ({ session }) => {
      if (bad.has(session)) throw new Error('never');
      taken.push(session);
    });
    await waitUntil('the good ones are archived', () => taken.length === 300, 25_000);
    expect(new Set(taken)).toEqual(new Set(goodTokens.map(sessionOf)));
    await waitUntil('the bad ones wait', async () => (await countWaiting()) === 300);
    await waitUntil('which it says', () => archiver.waiting === 300);
    const more = await saveSessions(1);
    await endAll(more);
    await waitUntil('a new one goes past them', () => taken.includes(sessionOf(more[0]!)));
  });

  it('says nothing about the archive when it fails again: the others do not wait for it', async () => {
    const taken: string[] = [];
    let bad = '';
    const archiver = await archiving(
      async ({ session }) => {
        if (session === bad) throw new Error('never');
        taken.push(session);
      },
      { parallel: 2, firstPauseMs: 5, longestPauseMs: 60_000 },
    );
    let failures = 0;
    archiver.on('failed', () => {
      failures += 1;
    });
    const [badToken, good] = (await saveSessions(2)) as [string, string];
    bad = sessionOf(badToken);
    await store.end(badToken);
    // It rests for 2.5 seconds now.
    await waitUntil('it was tried ten times', () => failures === 10);
    await store.end(good);
    await waitUntil('the good one is archived', () => taken.length === 1, 1_000);
  });

  it('may be one whose record is broken', async () => {
    const { taken, archive } = collecting();
    const archiver = await archiving(archive);
    const failures: string[] = [];
    archiver.on('failed', ({ message }) => failures.push(message));
    await archiver.stop();
    const [broken, whole] = (await saveSessions(2)) as [string, string];
    await endAll([broken, whole]);
    const record = stage.keys.record(sessionOf(broken));
    await stage.knowledge.recordView(sessionOf(broken), 11);
    await stage.redis.command('SETRANGE', record, '0', '\x07');
    const again = await archiving(archive);
    again.on('failed', ({ message }) => failures.push(message));
    await waitUntil('the whole one is archived', () => taken.length === 1);
    await waitUntil('the other was tried twice', () => failures.length >= 2);
    expect(taken[0]!.session).toBe(sessionOf(whole));
    expect(failures[0]).toContain('format 7');
    expect(await stage.redis.command('EXISTS', record)).toBe(1);
    expect(await countWaiting()).toBe(1);
  });

  it.each([
    ['is broken', ['SETRANGE', '0', '\x07']],
    ['was cut off', ['SET', 'B']],
    ['has another type', ['RPUSH', 'foreign']],
  ])('is none whose record of page views %s: it is archived without them', async (_, [command, ...args]) => {
    const { taken, archive } = collecting();
    const [token] = (await saveSessions(1, { cart: ['a'] })) as [string];
    const session = sessionOf(token);
    await stage.knowledge.recordView(session, 11);
    const key = stage.keys.subject(session);
    if (command === 'RPUSH') await stage.redis.command('DEL', key);
    await stage.redis.command(command!, key, ...args);
    const archiver = await archiving(archive);
    const failures: string[] = [];
    archiver.on('failed', ({ message }) => failures.push(message));
    await store.end(token);
    await waitUntil('it is archived', () => taken.length === 1);
    expect(taken[0]).toMatchObject({ session, data: { cart: ['a'] }, activity: null });
    await waitUntil('none waits', async () => (await countWaiting()) === 0);
    expect(failures).toEqual([]);
    expect(await stage.redis.command('TYPE', key)).not.toBe('list');
  });

  it('is kept from expiring however long the archive is away', async () => {
    await (await archiving(async () => {})).stop();
    const tokens = await saveSessions(300);
    await endAll(tokens);
    const records = tokens.map((token) => stage.keys.record(sessionOf(token)));
    for (const key of (await keys()).filter((name) => name.endsWith(':@ended'))) {
      const waiting = await stage.redis.command<string[]>('ZRANGE', key, '0', '-1');
      const twoDaysAgo = String(Date.now() - 2 * 86_400_000);
      await stage.redis.command('ZADD', key, ...waiting.flatMap((session) => [twoDaysAgo, session]));
    }
    await Promise.all(records.map((record) => stage.redis.command('PEXPIRE', record, '60000')));
    const leastLeft = async () =>
      Math.min(...(await Promise.all(records.map((record) => stage.redis.command<number>('PTTL', record)))));
    await archiving(() => new Promise(() => {}), { parallel: 1 });
    await waitUntil('all are kept', async () => (await leastLeft()) > KEPT_MS - 60_000);
  });

  it('is told where nothing is left of it', async () => {
    const { taken, archive } = collecting();
    await (await archiving(archive)).stop();
    const [token] = await saveSessions(1);
    await store.end(token!);
    await stage.redis.command('DEL', stage.keys.record(sessionOf(token!)));
    const archiver = await archiving(archive);
    const missing: string[] = [];
    archiver.on('missing', ({ session }) => missing.push(session));
    await waitUntil('it is told', () => missing.length === 1);
    expect(missing).toEqual([sessionOf(token!)]);
    expect(taken).toEqual([]);
    expect(await countWaiting()).toBe(0);
  });
});

describe('archiver: sealed sessions', () => {
  it('wait until there is an archiver with the key, and hold up no other', async () => {
    const key = randomBytes(32);
    const sealed = openStore({ encryption: { keys: [key] } });
    onTestFinished(() => sealed.close());
    const { taken, archive } = collecting();
    const blind = await archiving(archive, { parallel: 2 });
    const failures: string[] = [];
    blind.on('failed', ({ message }) => failures.push(message));
    const tokens = Array.from({ length: 5 }, () => createToken());
    for (const token of tokens) {
      await sealed.save(token, { secret: 'plan' });
      await sealed.identify(token, 'ann');
      await sealed.end(token);
    }
    await waitUntil('all were tried', () => failures.length >= 5);
    await endAll(await saveSessions(1, { open: 1 }));
    await waitUntil('the open one is archived', () => taken.length === 1);
    expect(failures[0]).toContain('encryption.keys');
    expect(await countWaiting()).toBe(5);
    await blind.stop();
    taken.length = 0;
    await archiving(archive, { encryption: { keys: [randomBytes(32), key] } });
    await waitUntil('all are archived', () => taken.length === 5);
    expect(taken[0]).toMatchObject({ userId: 'ann', data: { secret: 'plan' } });
    expect(await waitUntil('none waits', async () => (await countWaiting()) === 0)).toBeUndefined();
  });
});

describe('archiver: an archive that is away', () => {
  it('is asked seldom, keeps nothing in memory, and gets all when it is back', async () => {
    const tokens = await saveSessions(500, { a: 1 });
    let calls = 0;
    let works = false;
    const taken: ArchivedSession[] = [];
    const archiver = await archiving(
      async (ended) => {
        calls += 1;
        if (!works) throw new Error('away');
        taken.push(ended);
      },
      { parallel: 4, firstPauseMs: 200, longestPauseMs: 200 },
    );
    const backs: number[] = [];
    archiver.on('back', () => backs.push(calls));
    const before = performance.now();
    await endAll(tokens);
    await waitUntil('it was asked again', () => calls > 6);
    const rounds = 1 + (performance.now() - before) / 200;
    // Four at first (each may have begun one more), then four a pause.
    expect(calls).toBeLessThanOrEqual(8 + 4 * rounds);
    expect(await countWaiting()).toBe(500);
    works = true;
    await waitUntil('all are archived', () => new Set(taken.map(({ session }) => session)).size === 500);
    await waitUntil('none waits', async () => (await countWaiting()) === 0);
    expect(taken).toHaveLength(500);
    expect(backs).toHaveLength(1);
    await waitUntil('which it knows', () => archiver.waiting === 0);
  });
});

describe('archivers side by side', () => {
  it('take turns: each session comes once, whoever does it', async () => {
    const taken: ArchivedSession[] = [];
    const archive: ArchiveFunction = async (ended) => void taken.push(ended);
    const archivers = await Promise.all([archiving(archive), archiving(archive), archiving(archive)]);
    const tokens = await saveSessions(300);
    await endAll(tokens);
    await waitUntil('all are archived', async () => (await countWaiting()) === 0);
    expect(taken).toHaveLength(300);
    await Promise.all(archivers.slice(0, 2).map((archiver) => archiver.stop()));
    await endAll(await saveSessions(10));
    await waitUntil('the last one goes on', () => taken.length === 310);
  });

  it('that dies between archive and deletion leaves it to the next: the same again', async () => {
    const dying = await createConnection(stage.server.url).connect();
    const taken: ArchivedSession[] = [];
    const first = new Archiver(
      dying,
      'sw',
      async (ended) => {
        taken.push(ended);
        dying.destroy();
      },
      { lifecycleLength: 100, intervalMs: 10 },
    );
    onTestFinished(() => first.stop());
    await first.start();
    await endAll(await saveSessions(1, { a: 1 }));
    await waitUntil('it was archived', () => taken.length === 1);
    expect(await countWaiting()).toBe(1);
    await archiving(async (ended) => void taken.push(ended));
    await waitUntil('it is archived again', async () => (await countWaiting()) === 0);
    expect(taken).toHaveLength(2);
    expect(taken[1]).toEqual(taken[0]);
  });

  it('stop within their deadline while the archive hangs, and lose nothing', async () => {
    const archiver = await archiving(() => new Promise(() => {}));
    await endAll(await saveSessions(1));
    await waitUntil('it is in hand', () => archiver.waiting === 1);
    const before = performance.now();
    await archiver.stop(100);
    expect(performance.now() - before).toBeLessThan(2_000);
    const { taken, archive } = collecting();
    await archiving(archive);
    await waitUntil('another has archived it', () => taken.length === 1);
  });

  it('finish what they have in hand when they stop', async () => {
    const inHand: (() => void)[] = [];
    const archiver = await archiving(() => new Promise((resolve) => inHand.push(resolve)));
    await endAll(await saveSessions(1));
    await waitUntil('it is in hand', () => inHand.length === 1);
    const stopped = archiver.stop(5_000);
    inHand[0]!();
    await stopped;
    expect(await countWaiting()).toBe(0);
  });

  it('do nothing while they may not', async () => {
    let enabled = false;
    const { taken, archive } = collecting();
    await archiving(archive, { enabled: () => enabled });
    expect(await keys()).toEqual([]);
    enabled = true;
    await waitUntil('it is ready', async () => (await keys()).some((key) => key.endsWith(':@archiving')));
    await endAll(await saveSessions(1));
    await waitUntil('it is archived', () => taken.length === 1);
  });

  it('refuse keys that are none', () => {
    const options = { lifecycleLength: 10, encryption: { keys: ['short'] } };
    expect(() => new Archiver(stage.redis, 'sw', async () => {}, options)).toThrow(RangeError);
  });
});

describe('archiver: a Redis that comes back empty', () => {
  it('keeps ended sessions again', async () => {
    const server = await startTestRedis();
    onTestFinished(() => server.stop());
    const redis = await createConnection(server.url).connect();
    const { taken, archive } = collecting();
    const archiver = await new Archiver(redis, 'sw', archive, { lifecycleLength: 10, intervalMs: 10 }).start();
    const data = new SessionData({ redis: server.url, sweep: false });
    onTestFinished(async () => {
      await archiver.stop();
      await data.close();
      await redis.close();
    });
    server.kill('SIGKILL');
    await server.restart();
    await waitUntil('it is armed', async () =>
      redis.command<number>('DBSIZE').then(
        (size) => size >= 64,
        () => false,
      ),
    );
    await waitUntil('the store is there', () => data.isUp);
    const token = createToken();
    await data.save(token, { a: 1 });
    await data.end(token);
    await waitUntil('it is archived', () => taken.length === 1);
  });
});
