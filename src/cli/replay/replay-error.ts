import { SessionwiseError } from '../../protocol/index.ts';

/** Reasons of a failed replay. */
export type ReplayErrorCode =
  /** The log cannot be opened, read or unpacked. */
  | 'LOG_UNREADABLE'
  /** The log holds no request line. */
  | 'NO_REQUESTS'
  /** Some sessions of the namespace have no service or several, or the service no longer answers. */
  | 'NO_SERVICE'
  /** The running service ignores the log's times. */
  | 'TIMES_NOT_ACCEPTED'
  /** The service or the Redis that the replay itself started failed. */
  | 'OWN_STORE_FAILED'
  /** The figures of the store differ from the exact counts by more than is allowed. */
  | 'NOT_VERIFIED'
  /** A signal ended the replay. */
  | 'INTERRUPTED';

/** Thrown when a replay fails. */
export class ReplayError extends SessionwiseError {
  override readonly code: ReplayErrorCode;

  constructor(code: ReplayErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
