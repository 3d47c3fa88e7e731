import { SessionwiseError } from '../protocol/index.ts';

/** Reasons of a failed discovery. */
export type DiscoverErrorCode =
  /** The file of baskets cannot be opened, read or unpacked. */
  | 'BASKETS_UNREADABLE'
  /** There is no basket, or no visitor, to learn from. */
  | 'NO_BASKETS'
  /** More would have to be kept than was allowed. */
  | 'DISCOVERY_TOO_LARGE';

/** Thrown when candidates cannot be discovered. */
export class DiscoverError extends SessionwiseError {
  override readonly code: DiscoverErrorCode;

  constructor(code: DiscoverErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
