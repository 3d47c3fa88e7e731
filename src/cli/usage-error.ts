import { SessionwiseError } from '../protocol/index.ts';

/** Thrown for a wrong command line; exit code 2. */
export class UsageError extends SessionwiseError {
  override readonly code = 'USAGE';
}
