import { SessionwiseError } from '../../protocol/index.ts';

/** A dead letter cannot be retried: it holds no request. */
export class DeadLetterEmptyError extends SessionwiseError {
  override readonly code = 'DEAD_LETTER_EMPTY';
}
