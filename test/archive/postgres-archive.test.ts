import pg from 'pg';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  ArchiveDriverMissingError,
  ArchiveTableError,
  postgresArchive,
  unescapeText,
} from '../../src/archive/index.ts';
import type { ArchivedSession } from '../../src/sessions/archived-session.ts';
import { postgresFolder } from '../support/test-postgres.ts';
import { ARCHIVE_MIGRATION, useArchive } from '../support/use-archive.ts';

const AT = Date.UTC(2026, 2, 10, 12);

const SESSION: ArchivedSession = {
  namespace: 'sw',
  session: 'a1',
  userId: 'ann@example.org',
  device: 'Firefox on Linux',
  reason: 'ended',
  createdAt: AT - 60_000,
  lastSeenAt: AT - 1_001,
  endedAt: AT,
  data: { cart: [{ sku: 'x', count: 2 }], path: 'C:\\new\\u0000 as text', price: 1e308, 'ü€😀': null },
  activity: {
    totalPages: 5,
    uniquePages: 3,
    uniquePagesExact: true,
    activeMinutes: 2,
    firstActiveMinute: AT - 60_000,
  },
};

describe.skipIf(postgresFolder === undefined)('postgresArchive', () => {
  const { postgres, archive } = useArchive();

  const rows = () => postgres.query('SELECT * FROM archived_sessions ORDER BY session, created_at');

  it('writes all of a session', async () => {
    await archive(SESSION);
    expect(await rows()).toEqual([
      {
        namespace: 'sw',
        session: 'a1',
        user_id: 'ann@example.org',
        device: 'Firefox on Linux',
        reason: 'ended',
        created_at: new Date(AT - 60_000),
        last_seen_at: new Date(AT - 1_001),
        ended_at: new Date(AT),
        data: SESSION.data,
        activity: SESSION.activity,
        escaped: false,
        archived_at: expect.any(Date),
      },
    ]);
  });

  it('writes null for what there is not', async () => {
    const { userId: _, device: __, ...rest } = SESSION;
    await archive({ ...rest, activity: null, data: {} });
    expect(await rows()).toMatchObject([{ user_id: null, device: null, activity: null, data: {} }]);
    expect(await postgres.query('SELECT activity IS NULL AS absent FROM archived_sessions')).toEqual([
      { absent: true },
    ]);
  });

  it('keeps one row of a session that comes again, and the latest of it', async () => {
    await Promise.all(Array.from({ length: 10 }, () => archive(SESSION)));
    await archive({ ...SESSION, endedAt: AT + 5, data: { a: 1 } });
    expect(await rows()).toMatchObject([{ session: 'a1', ended_at: new Date(AT + 5), data: { a: 1 } }]);
  });

  it('keeps both lives of a session, and the same session of two namespaces', async () => {
    await archive(SESSION);
    await archive({ ...SESSION, createdAt: AT + 1, endedAt: AT + 2 });
    await archive({ ...SESSION, namespace: 'other' });
    expect(await rows()).toHaveLength(3);
  });

  it('loses none of what PostgreSQL refuses', async () => {
    const data = {
      zero: 'a\0b',
      'na\0me': ['\\', '\\u0000', '\\\0', '\ud800', 'x\udc00\\\\', '😀', '"\n\u0001', { deep: '\0' }],
    };
    await archive({ ...SESSION, userId: 'u\0\\', device: '\udfff', data });
    const [row] = await rows();
    expect(row!.escaped).toBe(true);
    expect(unescapeText(row!.user_id as string)).toBe('u\0\\');
    expect(unescapeText(row!.device as string)).toBe('\udfff');
    expect(unescapeAll(row!.data)).toEqual(data);
  });

  it('says which migration is missing', async () => {
    const other = postgresArchive({ connectionString: postgres.connectionString, table: 'nowhere', schema: 'public' });
    onTestFinished(() => other.close());
    for (const use of [() => other.check(), () => other(SESSION)]) {
      const failure = use();
      await expect(failure).rejects.toBeInstanceOf(ArchiveTableError);
      await expect(failure).rejects.toThrow(/public\.nowhere.*migrations\/postgres\/001-archived-sessions\.sql/);
    }
    await postgres.query('CREATE TABLE nowhere (session text)');
    await expect(other.check()).rejects.toBeInstanceOf(ArchiveTableError);
    await expect(archive.check()).resolves.toBeUndefined();
  });

  it('writes to another table, over a pool that there is, and leaves that open', async () => {
    await postgres.query('CREATE SCHEMA elsewhere');
    await postgres.query(
      `SET search_path TO elsewhere; ${ARCHIVE_MIGRATION.replaceAll('archived_sessions', 'ended_ones')}`,
    );
    const pool = new pg.Pool({ connectionString: postgres.connectionString });
    onTestFinished(() => pool.end());
    const other = postgresArchive({ pool, schema: 'elsewhere', table: 'ended_ones' });
    await other(SESSION);
    await other.close();
    expect((await pool.query('SELECT session FROM elsewhere.ended_ones')).rows).toEqual([{ session: 'a1' }]);
    expect(await rows()).toEqual([]);
  });

  it('refuses, and writes again when the database is back', async () => {
    await archive(SESSION);
    await postgres.kill();
    await expect(archive({ ...SESSION, session: 'b' })).rejects.toThrow();
    await expect(archive.check()).rejects.toThrow();
    await postgres.restart();
    await archive({ ...SESSION, session: 'c' });
    expect((await rows()).map(({ session }) => session)).toEqual(['a1', 'c']);
  });

  it('gives up a statement that takes too long', async () => {
    const holder = new pg.Client({ connectionString: postgres.connectionString });
    await holder.connect();
    onTestFinished(() => holder.end());
    await holder.query('BEGIN; LOCK TABLE archived_sessions');
    const before = performance.now();
    await expect(archive(SESSION)).rejects.toThrow(/statement timeout/);
    expect(performance.now() - before).toBeLessThan(9_000);
  });

  it('can be migrated twice', async () => {
    await archive(SESSION);
    await postgres.query(ARCHIVE_MIGRATION);
    expect(await rows()).toHaveLength(1);
  });
});

describe('postgresArchive’s options', () => {
  it.each(['a"; DROP TABLE x; --', 'Capital', '1a', '', 'a'.repeat(64), 'ä', 'a.b'])('refuses the name %j', (name) => {
    expect(() => postgresArchive({ connectionString: 'postgres:///x', table: name })).toThrow(RangeError);
    expect(() => postgresArchive({ connectionString: 'postgres:///x', schema: name })).toThrow(RangeError);
  });

  it('refuses to have no database', () => {
    expect(() => postgresArchive({} as never)).toThrow(/connectionString or pool/);
    expect(() => postgresArchive({ connectionString: '' })).toThrow(/connectionString or pool/);
  });

  it('says that the driver is missing', async () => {
    vi.doMock('pg', () => {
      throw new Error('Cannot find package');
    });
    onTestFinished(() => void vi.doUnmock('pg'));
    const archive = postgresArchive({ connectionString: 'postgres:///x' });
    await expect(archive(SESSION)).rejects.toBeInstanceOf(ArchiveDriverMissingError);
    await expect(archive.check()).rejects.toThrow(/npm install pg/);
    await archive.close();
  });

  it('closes what was never opened', async () => {
    await postgresArchive({ connectionString: 'postgres:///x' }).close();
  });
});

function unescapeAll(value: unknown): unknown {
  if (typeof value === 'string') return unescapeText(value);
  if (Array.isArray(value)) return value.map(unescapeAll);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [unescapeText(name), unescapeAll(inner)]));
}
