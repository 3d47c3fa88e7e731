import { SessionwiseError } from '../protocol/index.ts';

/** Thrown when the session is unknown or the argument is a token. */
export class NotInspectedError extends SessionwiseError {
  override readonly code = 'NOT_INSPECTED';
}
