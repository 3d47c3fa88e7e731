import { SessionwiseError } from './sessionwise-error.ts';

/** Why a known command was not served. The words travel in error replies as they stand here. */
export type ErrorCode = 'bad-payload' | 'too-large' | 'wrong-key' | 'unavailable' | 'internal';

const CODES: readonly string[] = ['bad-payload', 'too-large', 'wrong-key', 'unavailable', 'internal'];

/** A command cannot be served; it travels to the caller as `{"error":{"code","message"}}`. */
export class ProtocolError extends SessionwiseError {
  override readonly code: 'PROTOCOL' | 'UNKNOWN_COMMAND' = 'PROTOCOL';
  /** The code of the error reply. */
  readonly replyCode: ErrorCode;

  constructor(replyCode: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.replyCode = replyCode;
  }
}

/** Whether a string is one of the error codes of protocol v1. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && CODES.includes(code);
}
