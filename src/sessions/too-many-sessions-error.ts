import { SessionLimitError } from './errors.ts';

/** More sessions of a user have to end than one step ends. Within the store only: the caller ends them in steps and tries
 *  again. */
export class TooManySessionsError extends SessionLimitError {
  constructor(limit: number) {
    super(limit, true);
  }
}
