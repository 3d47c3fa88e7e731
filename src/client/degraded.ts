import type { ErrorCode } from '../protocol/index.ts';
import type { NoAnswerReason } from '../transport/index.ts';

/** Why a value is `undefined`: no answer, an error reply's code (also where the client itself refuses what the service
 *  would: `bad-payload`, `too-large`), a breaker that is open, or a reply that is not of its command's form. */
export type DegradedReason = NoAnswerReason | ErrorCode | 'breaker-open' | 'malformed-reply';

/** A request that settled with `undefined`. */
export interface Degraded {
  readonly command: string;
  /** Empty where what was given is no session id. */
  readonly session: string;
  readonly reason: DegradedReason;
  /** What is wrong, in words: the service's, where it sent an error reply; the client's, where it did not send the
   *  payload or could not use the reply. It can quote the first 60 characters of a wrong payload. */
  readonly message?: string;
}
