import { SessionwiseError } from '../../protocol/index.ts';

/** The archive did not settle in time. Whether it has the session is not known; it gets it again. */
export class ArchiveTimeoutError extends SessionwiseError {
  override readonly code = 'ARCHIVE_TIMEOUT';
}
