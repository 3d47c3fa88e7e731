import { checkUserId, isPerson, isSession } from '../../protocol/index.ts';

/** Names what is erased or exported: a session by its public id (never a token), or a user with all their sessions. */
export type Subject =
  | { readonly session: string; readonly user?: undefined }
  | { readonly user: string; readonly session?: undefined };

/** Checks a subject.
 *  @throws RangeError for anything but one session's id or one user's id; it does not quote what was given. */
export function checkSubject(subject: Subject): Subject {
  const { session, user } = (subject ?? {}) as { readonly session?: unknown; readonly user?: unknown };
  if ((session === undefined) === (user === undefined)) {
    throw new RangeError('Whose data? Give { session } with a public id, or { user } with a user id, and not both.');
  }
  if (user !== undefined) return { user: checkUserId(user) };
  if (typeof session === 'string' && isPerson(session)) {
    throw new RangeError('This is the id of a person, whose data are named by the user id: give { user }.');
  }
  if (typeof session === 'string' && isSession(session)) return { session };
  throw new RangeError('This is no session: give { session } with a public id: 1 to 128 of A-Z, a-z, 0-9, _ and -.');
}
