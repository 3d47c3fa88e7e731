import { SessionwiseError } from '../../protocol/index.ts';

/** The user may have no further session: the limit is reached and the store refuses more, or, in a Cluster, another
 *  login has reserved an entry and its outcome is not known yet. Redis itself works. */
export class SessionLimitError extends SessionwiseError {
  override readonly code = 'SESSION_LIMIT';
  /** 409, or 503 where another try soon may succeed. */
  override readonly status: 409 | 503;
  readonly limit: number;
  /** Whether the reservation of another login caused it: in a few seconds that login is done, or its reservation has
   *  expired. */
  readonly isTemporary: boolean;

  constructor(limit: number, isTemporary = false) {
    super(
      isTemporary
        ? `Another login of this user is under way, or broke off, and has reserved an entry (the limit is ${limit}): try again in a few seconds.`
        : `This user has ${limit} sessions already, which is the limit: end one first, or set onSessionLimit to "end-oldest".`,
    );
    this.limit = limit;
    this.isTemporary = isTemporary;
    this.status = isTemporary ? 503 : 409;
  }
}
