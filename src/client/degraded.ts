import type { ErrorCode } from '../protocol/index.ts';
import type { NoAnswerReason } from '../transport/index.ts';

/** Why a value is `undefined`: no answer, an error reply's code (also where the client itself refuses what the service
 *  would: `bad-payload`, `too-large`), a breaker that is open, or a reply that is not of its command's form. */
export type DegradedReason = NoAnswerReason | ErrorCode | 'breaker-open' | 'malformed-reply';

/** A request that settled with `undefined`. */
export interface Degraded {
  readonly command: string;
  /** Empty if the given text is no session id. */
  readonly session: string;
  readonly reason: DegradedReason;
  /** Describes the failure: the service's message of an error reply, or the client's own if it did not send the payload
   *  or could not use the reply. It can quote the first 60 characters of a wrong payload. */
  readonly message?: string;
}
