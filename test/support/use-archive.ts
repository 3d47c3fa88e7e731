import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type PostgresArchive, postgresArchive } from '../../src/archive/index.ts';
import { startTestPostgres, type TestPostgres } from './test-postgres.ts';
import { standInFor } from './use-redis.ts';

/** Makes the table of the archive. */
export const ARCHIVE_MIGRATION: string = readFileSync(
  new URL('../../migrations/postgres/001-archived-sessions.sql', import.meta.url),
  'utf8',
);

/** A PostgreSQL with the archive's table, and an archive over it. */
export interface UsedArchive {
  readonly postgres: TestPostgres;
  readonly archive: PostgresArchive;
}

/** Starts a PostgreSQL before the tests of a `describe` and stops it after them; each test finds the table empty. Ask for
 *  `postgresFolder` first. */
export function useArchive(): UsedArchive {
  let postgres: TestPostgres | undefined;
  let archive: PostgresArchive | undefined;
  beforeAll(async () => {
    postgres = await startTestPostgres();
    await postgres.query(ARCHIVE_MIGRATION);
    archive = postgresArchive({ connectionString: postgres.connectionString });
  });
  afterAll(async () => {
    await archive?.close();
    await postgres?.stop();
  });
  beforeEach(() => postgres!.query('TRUNCATE archived_sessions'));
  return {
    postgres: standInFor<TestPostgres>(() => postgres!),
    // A function with properties, so no plain stand-in.
    archive: new Proxy<PostgresArchive>((() => undefined) as never, {
      apply: (_, __, [ended]) => archive!(ended),
      get: (_, name) => Reflect.get(archive!, name),
    }),
  };
}
