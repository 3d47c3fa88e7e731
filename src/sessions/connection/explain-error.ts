import { isOtherFormat, isWrongType } from '../errors/redis-errors.ts';
import { SessionDataError } from '../errors/session-data-error.ts';
import { isStoreError } from '../errors/store-errors.ts';
import { StoreUnavailableError } from '../errors/store-unavailable-error.ts';

/** Turns the error of an operation into one for the caller: errors about the arguments and about the data stay, all other
 *  errors become a StoreUnavailableError. */
export function explainError(error: unknown): Error {
  if (error instanceof RangeError || error instanceof TypeError || isStoreError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (isOtherFormat(error)) return new SessionDataError(message, { cause: error });
  if (isWrongType(error)) {
    return new SessionDataError(`Something else lies where session data should: ${message}`, { cause: error });
  }
  return new StoreUnavailableError(`Session data cannot be reached: ${message}`, { cause: error });
}
