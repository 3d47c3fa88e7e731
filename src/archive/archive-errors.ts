/** The package `pg` is not installed. */
export class ArchiveDriverMissingError extends Error {
  override readonly name = 'ArchiveDriverMissingError';
  readonly code = 'ARCHIVE_DRIVER_MISSING';

  constructor(cause: unknown) {
    super('The PostgreSQL archive needs the package pg, which is not installed: run `npm install pg`.', { cause });
  }
}

/** The table is not there, or is not as the migration makes it. */
export class ArchiveTableError extends Error {
  override readonly name = 'ArchiveTableError';
  readonly code = 'ARCHIVE_TABLE';

  constructor(table: string, cause: Error) {
    super(
      `The archive's table ${table} cannot be used (${cause.message}): apply sessionwise/migrations/postgres/001-archived-sessions.sql to this database.`,
      { cause },
    );
  }
}
