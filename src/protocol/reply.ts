import { MalformedReplyError } from './malformed-reply-error.ts';
import { isErrorCode, ProtocolError } from './protocol-error.ts';

/** How long a list reply waits for its caller, in milliseconds: a caller that died must not leave a key behind. */
export const REPLY_TTL_MS = 500;

/** Encodes a command's answer: one JSON value, encoded once. */
export function encodeReply(value: unknown): string {
  return JSON.stringify(value);
}

/** An error reply, as it stands on the wire. */
export interface ErrorReply {
  readonly error: { readonly code: string; readonly message: string };
}

/** Makes an error reply. Anything but a `ProtocolError` becomes `internal`, and its text stays in the service. */
export function errorReply(error: unknown): ErrorReply {
  const { replyCode, message } =
    error instanceof ProtocolError
      ? error
      : { replyCode: 'internal', message: 'The service failed to serve this command.' };
  return { error: { code: replyCode, message } };
}

/** Encodes an error reply. */
export function encodeErrorReply(error: unknown): string {
  return JSON.stringify(errorReply(error));
}

/** Decodes a reply.
 *  @throws ProtocolError where it is an error reply, MalformedReplyError where it is no JSON. */
export function decodeReply(json: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new MalformedReplyError('The reply is not JSON.');
  }
  return checkReply(value);
}

/** Returns a reply that is decoded from JSON.
 *  @throws ProtocolError where it is an error reply. */
export function checkReply(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && 'error' in value) {
    const error = value.error as { code?: unknown; message?: unknown } | null;
    if (typeof error === 'object' && error !== null && isErrorCode(error.code)) {
      throw new ProtocolError(error.code, typeof error.message === 'string' ? error.message : '');
    }
  }
  return value;
}
