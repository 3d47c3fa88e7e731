import { SessionwiseError } from '../protocol/index.ts';

/** The session is unknown, or the argument is not a session id. */
export class NotInspectedError extends SessionwiseError {
  override readonly code = 'NOT_INSPECTED';
}
