import { SessionwiseError } from '../../protocol/index.ts';

/** Why a replay failed. */
export type ReplayErrorCode =
  /** The log cannot be opened, read or unpacked. */
  | 'LOG_UNREADABLE'
  /** The log holds no request line. */
  | 'NO_REQUESTS'
  /** Nobody serves the namespace, or not all of its sessions, or more than one does. */
  | 'NO_SERVICE'
  /** The service that runs there ignores the log's times. */
  | 'TIMES_NOT_ACCEPTED'
  /** The service or the Redis that the replay itself started failed. */
  | 'OWN_STORE_FAILED'
  /** What the store keeps is not what was counted beside it. */
  | 'NOT_VERIFIED'
  /** A signal ended it. */
  | 'INTERRUPTED';

/** A replay failed; the message says what to do. */
export class ReplayError extends SessionwiseError {
  override readonly code: ReplayErrorCode;

  constructor(code: ReplayErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
