import { SessionwiseError } from '../protocol/index.ts';

/** The command line is wrong: exit code 2. */
export class UsageError extends SessionwiseError {
  override readonly code = 'USAGE';
}
