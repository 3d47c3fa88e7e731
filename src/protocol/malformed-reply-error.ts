import { SessionwiseError } from './sessionwise-error.ts';

/** A reply does not have the form of docs/protocol.md: nothing in it can be used. */
export class MalformedReplyError extends SessionwiseError {
  override readonly code = 'MALFORMED_REPLY';
}
