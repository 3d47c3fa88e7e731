import { NotSerialisableError } from './not-serialisable-error.ts';
import { SessionDataError } from './session-data-error.ts';
import { SessionGoneError } from './session-gone-error.ts';
import { SessionLimitError } from './session-limit-error.ts';
import { StoreUnavailableError } from './store-unavailable-error.ts';
import { TooManySessionsError } from './too-many-sessions-error.ts';

const STORE_ERRORS = [
  StoreUnavailableError,
  SessionDataError,
  SessionLimitError,
  SessionGoneError,
  NotSerialisableError,
  TooManySessionsError,
];

/** Whether an error is one of the store's own: it reaches the caller as it is. Every other one says that Redis
 *  failed. */
export function isStoreError(error: unknown): error is Error {
  return STORE_ERRORS.some((kind) => error instanceof kind);
}
