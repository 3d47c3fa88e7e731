import { warnOnce } from '../../protocol/internal/index.ts';

/** Warns that a middleware stands before what it reads: who is logged in was known at the head of an answer, and not at the
 *  beginning of its request. So no page is ever asked as the person. `owner`: the middleware's name. */
export function warnOfLateUser(owner: string): void {
  warnOnce(
    'SESSIONWISE_USER_TOO_LATE',
    `${owner} is mounted before what says who is logged in, so pages ask as a visitor and never as the person: mount it behind the sessions, and behind what sets the user (passport.session()).`,
    owner,
  );
}
