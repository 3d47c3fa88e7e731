import { SessionwiseError } from '../protocol/index.ts';

/** The table does not exist, or differs from the migration's. */
export class ArchiveTableError extends SessionwiseError {
  override readonly code = 'ARCHIVE_TABLE';

  constructor(table: string, cause: Error) {
    super(
      `The archive's table ${table} cannot be used (${cause.message}): apply sessionwise/migrations/postgres/001-archived-sessions.sql to this database.`,
      { cause },
    );
  }
}
