import { SessionwiseError } from '../protocol/index.ts';

/** A consumer of events cannot go on: Redis refuses it for good (a right is missing, the key has another type), or the events
 *  were sealed with another secret. */
export class ConsumerRefusedError extends SessionwiseError {
  override readonly code = 'CONSUMER_REFUSED';
}
