import { describe, expect, it } from 'vitest';
import { postgresArchive } from '../../src/archive/index.ts';
import type { ArchivedSession } from '../../src/sessions/archived-session.ts';
import { postgresFolder } from '../support/test-postgres.ts';
import { useArchive } from '../support/use-archive.ts';

const AT = Date.UTC(2026, 2, 10, 12);
/** PostgreSQL refuses it, so its row is escaped. */
const ODD = 'odd\u0000 \\user';
/** It looks like what stands in an escaped row, and is none. */
const PLAIN = 'odd\\u0000 \\\\user';

const ended = (session: string, userId: string, more: Partial<ArchivedSession> = {}): ArchivedSession => ({
  namespace: 'sw',
  session,
  userId,
  device: 'Firefox',
  reason: 'ended',
  createdAt: AT,
  lastSeenAt: AT,
  endedAt: AT,
  data: { cart: ['tea'] },
  activity: null,
  ...more,
});

describe.skipIf(postgresFolder === undefined)('rows of the PostgreSQL archive', () => {
  const { postgres, archive } = useArchive();

  const left = async (): Promise<unknown[]> =>
    (await postgres.query('SELECT session FROM archived_sessions ORDER BY session')).map(({ session }) => session);

  it('are erased by user, by session, and in one namespace', async () => {
    const rows = [
      ended('a1', 'ada'),
      ended('a1', 'ada', { createdAt: AT + 1 }),
      ended('a2', 'ada'),
      ended('a3', 'ada', { namespace: 'other' }),
      ended('b1', 'bob'),
      ended('c1', 'bob'),
    ];
    for (const row of rows) await archive(row);
    expect((await archive.erase('sw', { user: 'ada' })).sort()).toEqual(['a1', 'a1', 'a2']);
    expect(await left()).toEqual(['a3', 'b1', 'c1']);
    expect(await archive.erase('sw', { session: 'b1' })).toEqual(['b1']);
    expect(await archive.erase('sw', { session: 'a3' })).toEqual([]);
    expect(await archive.erase('sw', { user: 'ada' })).toEqual([]);
    expect(await left()).toEqual(['a3', 'c1']);
  });

  it('are found by the user id that they were archived with, escaped or not', async () => {
    await archive(ended('odd', ODD));
    await archive(ended('plain', PLAIN));
    // Escaped, because of its data.
    await archive(ended('half', PLAIN, { data: { a: '\u0000' } }));
    expect((await archive.export('sw', { user: ODD })).map((row) => [row.session, row.user_id])).toEqual([
      ['odd', ODD],
    ]);
    const exported = await archive.export('sw', { user: PLAIN });
    expect(exported.map(({ session, user_id, data }) => [session, user_id, data])).toEqual([
      ['half', PLAIN, { a: '\u0000' }],
      ['plain', PLAIN, { cart: ['tea'] }],
    ]);
    expect((await archive.erase('sw', { user: PLAIN })).sort()).toEqual(['half', 'plain']);
    expect(await left()).toEqual(['odd']);
    expect(await archive.erase('sw', { user: ODD })).toEqual(['odd']);
  });

  it('are erased and exported in steps, however many there are', async () => {
    await postgres.query(
      `INSERT INTO archived_sessions (namespace, session, user_id, reason, created_at, last_seen_at, ended_at, data)
       SELECT 'sw', 's' || n, 'ada', 'ended', to_timestamp(n), now(), now(), '{}' FROM generate_series(1, 1201) AS n`,
    );
    const exported = await archive.export('sw', { user: 'ada' });
    expect(exported.map(({ session }) => session)).toEqual(Array.from({ length: 1_201 }, (_, i) => `s${i + 1}`));
    expect(new Set(await archive.erase('sw', { user: 'ada' })).size).toBe(1_201);
    expect(await left()).toEqual([]);
  });

  it('say where there is no table', async () => {
    const other = postgresArchive({ connectionString: postgres.connectionString, table: 'not_there' });
    await expect(other.erase('sw', { user: 'ada' })).rejects.toMatchObject({ code: 'ARCHIVE_TABLE' });
    await expect(other.export('sw', { user: 'ada' })).rejects.toMatchObject({ code: 'ARCHIVE_TABLE' });
    await other.close();
  });
});
