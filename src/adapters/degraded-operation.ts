import type { StoreUnavailableError } from '../sessions/index.ts';

/** An operation that did not happen, in a store that fails open. */
export interface DegradedOperation {
  readonly operation: 'get' | 'set' | 'touch';
  readonly error: StoreUnavailableError;
}
