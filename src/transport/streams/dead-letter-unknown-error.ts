import { SessionwiseError } from '../../protocol/index.ts';

/** No dead letter has this id (any more). */
export class DeadLetterUnknownError extends SessionwiseError {
  override readonly code = 'DEAD_LETTER_UNKNOWN';
}
