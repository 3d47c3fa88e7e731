import type { SessionDataOptions } from '../sessions/index.ts';

export interface SessionStoreOptions extends SessionDataOptions {
  /** What a request gets while its session cannot be read. `closed` (default): the error STORE_UNAVAILABLE. `open`: an
   *  empty session under its own token, whose saves write nothing. In neither is a cookie replaced.
   *
   *  A save that fails at the end of a request of Express comes too late: the answer, 200, is on its way. What an answer
   *  promises is to be waited for: `session.save(callback)` in a store that fails closed, and in both `increment`,
   *  `append`, `setIf`, `identify` and `rotate`, which never fail in silence. */
  readonly fail?: 'closed' | 'open';
  /** How long an anonymous session may rest until its second request, in milliseconds: a new one with no user, into which
   *  the application has put nothing. Most of them are never seen again. Default 1,800,000: half an hour, as long as a
   *  service keeps what it knows of a single view. Never longer than the session's idle time. */
  readonly anonymousIdleMs?: number;
}
