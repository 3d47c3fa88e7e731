import { describe, expect, it, onTestFinished } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { Archiver } from '../../../src/sessions/archive/archiver.ts';
import { SessionData, type SessionDataOptions } from '../../../src/sessions/index.ts';
import { Sweeper } from '../../../src/sessions/maintenance/index.ts';
import { useTestData } from '../../support/use-test-data.ts';
import { waitUntil } from '../../support/wait-until.ts';

const stage = useTestData();

function openStore(options: Partial<SessionDataOptions> = {}): SessionData {
  const store = new SessionData({
    redis: stage.server.url,
    sweep: false,
    deadlineMs: 30_000,
    touchEveryMs: 0,
    ...options,
  });
  onTestFinished(() => store.close());
  return store;
}

function sweeping(lifecycleLength = 10_000, options: { enabled?: () => boolean } = {}): Sweeper {
  const sweeper = new Sweeper(stage.redis, 'sw', { lifecycleLength, intervalMs: 10, ...options });
  onTestFinished(() => sweeper.stop());
  return sweeper;
}

const keys = async () => (await stage.redis.command<string[]>('KEYS', '*')).sort();

describe('a sweep of sessions', () => {
  it('leaves nothing of 20,000 sessions that have expired: records, indexes, calculated data, users', async () => {
    // More than one sweep takes at once, and twice as many as the lifecycle stream holds.
    const sessions = 20_000;
    const atOnce = 2_000;
    const store = openStore({ idleMs: 1 });
    const lasting = openStore({ idleMs: 600_000 });
    for (let begun = 0; begun < sessions; begun += atOnce) {
      const tokens = Array.from({ length: atOnce }, () => createToken());
      await Promise.all(
        tokens.map(async (token, i) => {
          // One in twenty is a user's, and one in twenty has views; these must live until they have both.
          if (i % 20 !== 0) return store.save(token, { n: i });
          const loaded = await lasting.save(token, { n: i });
          await lasting.identify(token, `user ${begun + (i % 200)}`, {}, loaded);
          await stage.knowledge.recordView(sessionOf(token), 11);
          return store.touch(token, {}, loaded);
        }),
      );
    }
    const kept = await stage.redis.command<number>('DBSIZE');
    // Records; users, ten for 2,000 sessions; what is known of one in twenty; 64 indexes; the stream.
    expect(kept).toBeGreaterThanOrEqual(sessions + sessions / 200 + sessions / 20);
    await sweeping().sweep();
    expect(await keys()).toEqual(['sw:lifecycle']);
    const length = await stage.redis.command<number>('XLEN', 'sw:lifecycle');
    expect(length).toBeGreaterThanOrEqual(10_000);
    // "About" is up to one node of the stream more.
    expect(length).toBeLessThanOrEqual(10_200);
  }, 60_000);

  it('ends what is due and nothing else', async () => {
    const short = openStore({ idleMs: 1 });
    const long = openStore({ idleMs: 60_000 });
    const [gone, there] = [createToken(), createToken()];
    await short.save(gone, { a: 1 });
    await long.save(there, { a: 1 });
    const sweeper = sweeping();
    await waitUntil('it is due', async () => (await sweeper.sweep()) === 1);
    expect(await sweeper.sweep()).toBe(0);
    expect((await keys()).filter((key) => key.includes(sessionOf(gone)))).toEqual([]);
    expect(long.infoOf((await long.load(there))!).session).toBe(sessionOf(there));
    expect(await long.sessions()).toEqual([sessionOf(there)]);
  });

  it('looks at the record, and not at the index alone', async () => {
    const store = openStore({ idleMs: 60_000 });
    const token = createToken();
    const session = sessionOf(token);
    await store.save(token, { a: 1 });
    const due = (await keys()).find((key) => key.endsWith(':@due'))!;
    await stage.redis.command('ZADD', due, '1', session, '1', 'nobody');
    expect(await sweeping().sweep()).toBe(2);
    expect(await store.load(token)).toBeDefined();
    expect(await stage.redis.command('ZRANGE', due, '0', '-1')).toEqual([session]);
    expect(Number(await stage.redis.command('ZSCORE', due, session))).toBeGreaterThan(1);
  });

  it('is done by one of several, and by another when that one stops', async () => {
    const store = openStore({ idleMs: 1 });
    const [first, second] = [sweeping().start(), sweeping().start()];
    const holder = () => stage.redis.command<string | null>('GET', 'sw:@lease:sweep');
    const left = async () => (await keys()).filter((key) => key.includes('}:') && !key.includes('@due')).length;
    await store.save(createToken(), {});
    await waitUntil('it is swept', async () => (await left()) === 0);
    await waitUntil('one of them has the lease', async () => /^[0-9a-f]{16}$/.test((await holder()) ?? ''));
    first.stop();
    await store.save(createToken(), {});
    await waitUntil('it is swept', async () => (await left()) === 0);
    second.stop();
    await waitUntil('the lease is given back', async () => (await holder()) === null);
  });

  it('leaves it to whoever holds the lease', async () => {
    const store = openStore({ idleMs: 1 });
    await store.save(createToken(), {});
    await stage.redis.command('SET', 'sw:@lease:sweep', 'another');
    const before = await keys();
    let asked = 0;
    sweeping(100, {
      enabled: () => {
        asked += 1;
        return true;
      },
    }).start();
    await waitUntil('it has asked thrice', () => asked >= 3);
    expect(await keys()).toEqual(before);
    await stage.redis.command('DEL', 'sw:@lease:sweep');
    await waitUntil('it is swept', async () => (await keys()).every((key) => !key.includes('}:')));
  });

  it('is not begun while it may not be', async () => {
    let enabled = false;
    const store = openStore({ idleMs: 1 });
    await store.save(createToken(), {});
    const before = await keys();
    const asked: boolean[] = [];
    sweeping(100, {
      enabled: () => {
        asked.push(enabled);
        return enabled;
      },
    }).start();
    await waitUntil('it has asked thrice', () => asked.length >= 3);
    expect(await keys()).toEqual(before);
    enabled = true;
    await waitUntil('it is swept', async () => (await keys()).every((key) => !key.includes('}:')));
  });
});

describe('the lifecycle stream of sessions', () => {
  it('tells a consumer group all that happens to sessions', async () => {
    await stage.redis.command('XGROUP', 'CREATE', 'sw:lifecycle', 'audit', '0', 'MKSTREAM');
    const archiver = new Archiver(stage.redis, 'sw', async () => {}, { lifecycleLength: 1_000, intervalMs: 10 });
    onTestFinished(() => archiver.stop());
    await archiver.start();
    const store = openStore({ idleMs: 60_000 });
    const short = openStore({ idleMs: 1 });
    const [mine, idle] = [createToken(), createToken()];
    await store.save(mine, { a: 1 });
    await store.identify(mine, 'ann');
    const next = await store.rotate(mine);
    await store.end(next!);
    await short.save(idle, { a: 1 });
    sweeping(1_000).start();

    const told: [string, Record<string, string>][] = [];
    const reader = await stage.redis.duplicate().connect();
    onTestFinished(() => reader.close());
    await waitUntil('eight entries', async () => {
      const reply = await reader.command<Record<string, [string, string[]][]> | null>(
        'XREADGROUP',
        'GROUP',
        'audit',
        'one',
        'COUNT',
        '2',
        'STREAMS',
        'sw:lifecycle',
        '>',
      );
      for (const [id, fields] of reply?.['sw:lifecycle'] ?? []) {
        const entry: Record<string, string> = {};
        for (let i = 0; i < fields.length; i += 2) entry[fields[i]!] = fields[i + 1]!;
        told.push([id, entry]);
      }
      return told.length >= 8;
    });
    const of = (token: string) => told.map(([, entry]) => entry).filter(({ session }) => session === sessionOf(token));
    const session = sessionOf(mine);
    expect(of(mine)).toEqual([
      { event: 'created', session },
      { event: 'identified', session },
      { event: 'rotated', session },
      { event: 'ended', session, reason: 'destroyed' },
      { event: 'archived', session },
    ]);
    expect(of(idle).map(({ event }) => event)).toEqual(['created', 'expired', 'archived']);
    const ids = told.map(([id]) => id);
    expect(await reader.command('XACK', 'sw:lifecycle', 'audit', ...ids)).toBe(told.length);
    expect(await reader.command('XPENDING', 'sw:lifecycle', 'audit')).toMatchObject([0, null, null, null]);
  });

  it('stays as long as it is told, about', async () => {
    const store = openStore({ idleMs: 1, lifecycleLength: 50 });
    await Promise.all(Array.from({ length: 1_000 }, () => store.save(createToken(), {})));
    expect(await stage.redis.command<number>('XLEN', 'sw:lifecycle')).toBeLessThanOrEqual(150);
    await sweeping(50).sweep();
    const length = await stage.redis.command<number>('XLEN', 'sw:lifecycle');
    expect(length).toBeGreaterThanOrEqual(50);
    expect(length).toBeLessThanOrEqual(150);
  });
});
