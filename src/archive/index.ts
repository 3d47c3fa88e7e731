export { SessionwiseError } from '../protocol/index.ts';
export { ArchiveDriverMissingError } from './archive-driver-missing-error.ts';
export { ArchiveTableError } from './archive-table-error.ts';
export type { PostgresArchive, PostgresArchiveOptions, PostgresPool } from './postgres-archive.ts';
export { postgresArchive } from './postgres-archive.ts';
export { unescapeText } from './postgres-text.ts';
