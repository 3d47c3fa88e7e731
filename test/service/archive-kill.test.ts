import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createToken, sessionOf } from '../../src/protocol/index.ts';
import { SessionData } from '../../src/sessions/index.ts';
import { ForeignClient } from '../support/foreign-client.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { postgresFolder, startTestPostgres, type TestPostgres } from '../support/test-postgres.ts';
import { ARCHIVE_MIGRATION } from '../support/use-archive.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* The service as a process of its own, with the database given to it by the environment, and killed between the two
 * steps that must not lose anything: the row is committed, and the session not yet deleted. */

const SECRET = 'a secret of the tests, long enough';
const LOCK = 4711;

describe.skipIf(postgresFolder === undefined)('a service that is killed with SIGKILL', () => {
  const server = useRedis({ eachTest: 'kept' });
  let postgres: TestPostgres;
  let foreign: ForeignClient;
  let store: SessionData;
  let service: ServiceProcess | undefined;

  beforeAll(async () => {
    postgres = await startTestPostgres();
    await postgres.query(ARCHIVE_MIGRATION);
    // Each row waits for the test's lock, and every write of a row is noted.
    await postgres.query(`
      CREATE TABLE writes (session text, ended_at timestamptz);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_xact_lock_shared(${LOCK});
        INSERT INTO writes VALUES (NEW.session, NEW.ended_at);
        RETURN NEW;
      END $$;
      CREATE TRIGGER note BEFORE INSERT ON archived_sessions FOR EACH ROW EXECUTE FUNCTION note()`);
    process.env.SESSIONWISE_ARCHIVE_POSTGRES = postgres.connectionString;
    foreign = await ForeignClient.connect(server.url);
    store = new SessionData({ redis: server.url, sweep: false, deadlineMs: 10_000 });
  });
  afterEach(async () => {
    await service?.stop();
    service = undefined;
  });
  afterAll(async () => {
    delete process.env.SESSIONWISE_ARCHIVE_POSTGRES;
    await store?.close();
    await foreign?.close();
    await postgres?.stop();
  });

  const rows = () => postgres.query('SELECT session, data, ended_at FROM archived_sessions');
  const waiting = async () => (await foreign.keys()).filter((key) => /@(ended|failed)$/.test(key)).length;

  it('between archive and deletion: the next one archives it again, as one row', async () => {
    service = await startServiceProcess(server.url, SECRET);
    const holder = new pg.Client({ connectionString: postgres.connectionString });
    await holder.connect();
    await holder.query(`SELECT pg_advisory_lock(${LOCK})`);
    const token = createToken();
    const session = sessionOf(token);
    await store.save(token, { a: 1 });
    await foreign.ask('pageview', session, '/a');
    await store.end(token);
    await waitUntil('the row is being written', async () => {
      const [locks] = await postgres.query(
        "SELECT count(*)::int AS count FROM pg_locks WHERE NOT granted AND locktype = 'advisory'",
      );
      return locks!.count === 1;
    });
    // From here on, no script of the service can write: it can archive the session and not delete it.
    await foreign.redis.command('CLIENT', 'PAUSE', '60000', 'WRITE');
    await holder.query(`SELECT pg_advisory_unlock(${LOCK})`);
    await holder.end();
    await waitUntil('the row is there', async () => (await rows()).length === 1);
    await service.kill('SIGKILL');
    service = undefined;
    await waitUntil('Redis has noticed', async () => {
      const clients = await foreign.redis.command<string>('CLIENT', 'LIST');
      return !clients.includes('name=sessionwise-service');
    });
    await foreign.redis.command('CLIENT', 'UNPAUSE');
    expect(await waiting()).toBe(1);

    service = await startServiceProcess(server.url, SECRET);
    await waitUntil('it no longer waits', async () => (await waiting()) === 0, 20_000);
    const written = await postgres.query<{ session: string; ended_at: Date }>('SELECT * FROM writes');
    expect(written).toHaveLength(2);
    expect(written[1]).toEqual(written[0]);
    expect(await rows()).toEqual([{ session, data: { a: 1 }, ended_at: written[0]!.ended_at }]);
    const entries = await foreign.redis.command<[string, string[]][]>('XRANGE', 'sw:lifecycle', '-', '+');
    expect(entries.map(([, fields]) => fields[1])).toEqual(['created', 'ended', 'archived']);
  });

  it('again and again in the midst of many: all are archived, none is two rows', async () => {
    await postgres.query('TRUNCATE archived_sessions');
    const tokens = Array.from({ length: 1_000 }, () => createToken());
    await Promise.all(tokens.map((token) => store.save(token, { a: 1 })));
    await Promise.all(tokens.map((token) => store.end(token)));
    const count = async () => Number((await postgres.query('SELECT count(*) FROM archived_sessions'))[0]!.count);
    for (const least of [1, 200]) {
      service = await startServiceProcess(server.url, SECRET);
      await waitUntil('it has begun', async () => (await count()) >= least, 20_000);
      await service.kill('SIGKILL');
      service = undefined;
    }
    service = await startServiceProcess(server.url, SECRET);
    await waitUntil('none waits', async () => (await waiting()) === 0, 25_000);
    const sessions = (await rows()).map((row) => row.session as string);
    expect(sessions.sort()).toEqual(tokens.map(sessionOf).sort());
  }, 90_000);
});
