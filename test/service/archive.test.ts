import { describe, expect, it, onTestFinished } from 'vitest';
import { createToken, sessionOf } from '../../src/protocol/index.ts';
import type { ArchivedSession } from '../../src/sessions/archived-session.ts';
import { SessionData, type SessionDataOptions } from '../../src/sessions/index.ts';
import { metricOf } from '../support/metric-of.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { postgresFolder } from '../support/test-postgres.ts';
import { useArchive } from '../support/use-archive.ts';
import { useRedis } from '../support/use-redis.ts';
import { useServices } from '../support/use-services.ts';
import { waitUntil } from '../support/wait-until.ts';

const SECRET = 'a secret of the tests, long enough';

const server = useRedis();
const { foreign, start } = useServices(server, SECRET);

function openStore(options: Partial<SessionDataOptions> = {}): SessionData {
  const store = new SessionData({ redis: server.url, sweep: false, deadlineMs: 10_000, ...options });
  onTestFinished(() => store.close());
  return store;
}

async function endSessions(store: SessionData, count: number): Promise<string[]> {
  const tokens = Array.from({ length: count }, () => createToken());
  await Promise.all(tokens.map((token) => store.save(token, { token: 'no' })));
  await Promise.all(tokens.map((token) => store.end(token)));
  return tokens.map(sessionOf);
}

const sessionKeys = async () =>
  (await foreign.keys()).filter((key) => key.includes('}:') && !key.endsWith(':@archiving'));

describe('a service with an archive', () => {
  it('sweeps: nothing is left of a session that has expired', async () => {
    await start();
    const store = openStore({ idleMs: 1 });
    const token = createToken();
    await store.save(token, { a: 1 });
    await foreign.ask('pageview', sessionOf(token), '/a');
    await waitUntil('it is swept', async () => (await sessionKeys()).length === 0);
    const entries = await foreign.redis.command<[string, string[]][]>('XRANGE', 'sw:lifecycle', '-', '+');
    expect(entries.map(([, fields]) => fields[1])).toEqual(['created', 'expired']);
  });

  it('does not sweep where it is told not to', async () => {
    await start({ sessions: { sweep: false } });
    // A service of another namespace that begins later tells that the first one would have swept by now.
    await start({ namespace: 'other' });
    const saved = [openStore({ idleMs: 1 }), openStore({ idleMs: 1, namespace: 'other' })];
    await Promise.all(saved.map((store) => store.save(createToken(), { a: 1 })));
    await waitUntil(
      'the other one has swept',
      async () => !(await sessionKeys()).some((key) => /^other:.*:s$/.test(key)),
    );
    expect((await sessionKeys()).filter((key) => /^sw:.*:s$/.test(key))).toHaveLength(1);
  });

  it('hands over what ended, with the sums of its page views, and counts it', async () => {
    const taken: ArchivedSession[] = [];
    let failures = 1;
    const log = new RecordingLog();
    const service = await start({
      log,
      archive: async (ended) => {
        if (failures > 0) {
          failures -= 1;
          throw new Error('the archive says no');
        }
        taken.push(ended);
      },
    });
    const store = openStore();
    const token = createToken();
    const session = sessionOf(token);
    await store.save(token, { cart: [1] });
    for (const page of ['/a', '/b', '/a?x=1', '/c']) await foreign.ask('pageview', session, page);
    await store.end(token);
    await waitUntil('it failed', async () => (await metricOf(service.metrics.archiveFailures)) === 1);
    expect(await metricOf(service.metrics.archiveWaiting)).toBe(1);
    await waitUntil('it is archived', async () => (await metricOf(service.metrics.archived)) === 1);
    expect(await metricOf(service.metrics.archiveWaiting)).toBe(0);
    expect(taken).toMatchObject([
      {
        namespace: 'sw',
        session,
        data: { cart: [1] },
        activity: { totalPages: 4, uniquePages: 3, uniquePagesExact: true },
      },
    ]);
    const { activeMinutes, firstActiveMinute } = taken[0]!.activity!;
    expect([1, 2]).toContain(activeMinutes);
    expect(Math.abs(firstActiveMinute! - Date.now())).toBeLessThan(180_000);
    expect(log.with('could not be archived')).toMatchObject([{ session, reason: 'the archive says no', attempts: 1 }]);
    const metrics = await service.metrics.registry.text();
    for (const line of [
      'sessionwise_archived_total 1',
      'sessionwise_archive_failures_total 1',
      'sessionwise_archive_waiting 0',
    ]) {
      expect(metrics.split('\n')).toContain(line);
    }
  });

  it('stops within its deadline while the archive hangs', async () => {
    let isHanging = false;
    const service = await start({
      archive: () => {
        isHanging = true;
        return new Promise(() => {});
      },
    });
    await endSessions(openStore(), 1);
    await waitUntil('it hangs', () => isHanging);
    const before = performance.now();
    await service.stop(300);
    expect(performance.now() - before).toBeLessThan(3_000);
    expect((await sessionKeys()).some((key) => key.endsWith(':@ended'))).toBe(true);
  });

  it('refuses to start with what cannot be used', async () => {
    await expect(start({ sessions: { lifecycleLength: 0 } })).rejects.toThrow(/lifecycleLength 0/);
    const archive = async (): Promise<void> => {};
    await expect(start({ archive, sessions: { encryption: { keys: ['short'] } } })).rejects.toThrow(RangeError);
  });
});

describe.skipIf(postgresFolder === undefined)('a service with an archive in PostgreSQL', () => {
  const { postgres, archive } = useArchive();

  it('archives what was destroyed and what has expired, with matching sums', async () => {
    await start({ archive });
    const store = openStore();
    const short = openStore({ idleMs: 1_000, touchEveryMs: 0 });
    const [destroyed, expired] = [createToken(), createToken()];
    await store.save(destroyed, { cart: ['ü'], cookie: { path: '/' } });
    await store.identify(destroyed, 'ann', { device: 'Firefox on Linux' });
    await short.save(expired, { 'na\0me': 'a\0b' });
    const views = { [destroyed]: ['/a', '/b', '/a'], [expired]: ['/a'] };
    for (const [token, pages] of Object.entries(views)) {
      for (const page of pages) await foreign.ask('pageview', sessionOf(token), page);
    }
    await store.end(destroyed);
    await waitUntil('both are archived', async () => {
      const [counted] = await postgres.query('SELECT count(*)::int AS count FROM archived_sessions');
      return counted!.count === 2;
    });
    const rows = await postgres.query(
      'SELECT session, user_id, device, reason, data, activity, escaped FROM archived_sessions ORDER BY reason',
    );
    expect(rows).toEqual([
      {
        session: sessionOf(destroyed),
        user_id: 'ann',
        device: 'Firefox on Linux',
        reason: 'ended',
        data: { cart: ['ü'] },
        activity: expect.objectContaining({ totalPages: 3, uniquePages: 2, uniquePagesExact: true }),
        escaped: false,
      },
      {
        session: sessionOf(expired),
        user_id: null,
        device: null,
        reason: 'expired',
        data: { 'na\\u0000me': 'a\\u0000b' },
        activity: expect.objectContaining({ totalPages: 1, uniquePages: 1, activeMinutes: 1 }),
        escaped: true,
      },
    ]);
    await waitUntil('what keeps the destroyed one ended is all that is left', async () => {
      const left = (await sessionKeys()).map((key) => key.split(':').slice(-2).join(':')).sort();
      return left.join() === `${sessionOf(destroyed)}:k,${sessionOf(destroyed)}:s`;
    });
  });

  it('loses and doubles none when the database is killed and comes back', async () => {
    const log = new RecordingLog();
    const service = await start({ archive, log });
    const store = openStore();
    const count = async () => Number((await postgres.query('SELECT count(*) FROM archived_sessions'))[0]!.count);
    // Each row takes a while, so that the server dies in the midst.
    await postgres.query(`
      CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END $$;
      CREATE TRIGGER slow BEFORE INSERT ON archived_sessions FOR EACH ROW EXECUTE FUNCTION slow()`);
    const first = await endSessions(store, 400);
    await waitUntil('it has begun', async () => (await count()) > 20);
    await postgres.kill();
    const second = await endSessions(store, 100);
    await waitUntil('failures are counted', async () => (await metricOf(service.metrics.archiveFailures)) > 0);
    await postgres.restart();
    const archived = await count();
    expect(archived).toBeLessThan(400);
    await waitUntil('all are archived', async () => (await count()) === 500, 60_000);
    await waitUntil('none waits', async () => !(await sessionKeys()).some((key) => /@(ended|failed)$/.test(key)));
    const rows = await postgres.query('SELECT session FROM archived_sessions');
    expect(rows.map(({ session }) => session).sort()).toEqual([...first, ...second].sort());
    expect(await metricOf(service.metrics.archived)).toBe(500);
    expect(log.with('could not be archived').length).toBeGreaterThan(0);
    expect(log.with('takes sessions again')).toHaveLength(1);
    await postgres.query('DROP FUNCTION slow CASCADE');
  }, 120_000);

  it('says which migration is missing, and goes on when it was applied', async () => {
    await postgres.query('ALTER TABLE archived_sessions RENAME TO elsewhere');
    const log = new RecordingLog();
    const service = await start({ archive, log });
    await endSessions(openStore(), 1);
    await waitUntil('it is told', () => log.with('could not be archived').length === 1);
    expect(log.with('could not be archived')[0]!.reason).toContain('migrations/postgres/001-archived-sessions.sql');
    await postgres.query('ALTER TABLE elsewhere RENAME TO archived_sessions');
    await waitUntil('it is archived', async () => (await metricOf(service.metrics.archived)) === 1);
  });
});
