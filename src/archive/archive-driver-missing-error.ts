import { SessionwiseError } from '../protocol/index.ts';

/** The package `pg` is not installed. */
export class ArchiveDriverMissingError extends SessionwiseError {
  override readonly code = 'ARCHIVE_DRIVER_MISSING';

  constructor(cause: unknown) {
    super('The PostgreSQL archive needs the package pg, which is not installed: run `npm install pg`.', { cause });
  }
}
