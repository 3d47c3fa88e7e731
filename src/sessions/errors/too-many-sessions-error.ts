import { SessionwiseError } from '../../protocol/index.ts';

/** More sessions of a user have to end than one step ends. Only within the store: `UserLogins.identify` catches it,
 *  ends them in steps and tries again. */
export class TooManySessionsError extends SessionwiseError {
  override readonly code = 'SESSION_STEPS_NEEDED';
  /** How many sessions the user may have. */
  readonly limit: number;

  constructor(limit: number) {
    super(`More sessions have to end than one step ends (the limit is ${limit}).`);
    this.limit = limit;
  }
}
