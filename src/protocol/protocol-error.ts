/** Why a known command was not served. They stand in error replies as they stand here. */
export type ErrorCode = 'bad-payload' | 'too-large' | 'wrong-key' | 'unavailable' | 'internal';

const CODES: readonly string[] = ['bad-payload', 'too-large', 'wrong-key', 'unavailable', 'internal'];

/** A command that cannot be served; it travels to the caller as `{"error":{"code","message"}}`. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** A command that this service does not know; another version may. On channels nobody subscribes to such a one. */
export class UnknownCommandError extends ProtocolError {
  constructor() {
    super('bad-payload', 'There is no such command.');
  }
}

/** Whether a string is one of the error codes of protocol v1. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && CODES.includes(code);
}
