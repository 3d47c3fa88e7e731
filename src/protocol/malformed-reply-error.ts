/** A reply that is not of the form of docs/protocol.md: nothing in it can be used. */
export class MalformedReplyError extends Error {
  override readonly name = 'MalformedReplyError';
  readonly code = 'malformed-reply';
}
