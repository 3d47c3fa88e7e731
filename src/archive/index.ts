export { ArchiveDriverMissingError, ArchiveTableError } from './archive-errors.ts';
export type { PostgresArchive, PostgresArchiveOptions, PostgresPool } from './postgres-archive.ts';
export { postgresArchive } from './postgres-archive.ts';
export { unescapeText } from './postgres-text.ts';
