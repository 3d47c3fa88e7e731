import { SessionwiseError } from '../../protocol/index.ts';

/** The operation needs the session, and it has ended, was never saved, or its token was replaced by a login in another
 *  request. */
export class SessionGoneError extends SessionwiseError {
  override readonly code = 'SESSION_GONE';
  /** The request may succeed when it is sent again with the current cookie. */
  override readonly status = 409;

  constructor(what: string) {
    super(
      `${what} changed nothing: the session has ended, was never saved, or has another token by now. Load it again.`,
    );
  }
}
