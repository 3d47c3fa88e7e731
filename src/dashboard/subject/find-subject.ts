import { isSession, personOf, sessionOf } from '../../protocol/index.ts';
import { isObject, tokenIn } from '../../protocol/internal/index.ts';

/** Whom the page was asked about. */
export interface WantedSubject {
  /** The id of a session or a person, as it stands on the wire. */
  readonly subject: string;
  /** The user id, where the person was asked about by it. */
  readonly user?: string;
}

/** Reads whom somebody looks for off a form: `id` of a session or a person, or `user`, the site's id of a user.
 *  @throws RangeError that shows neither a token nor a user id. */
export function findSubject(input: unknown): WantedSubject {
  const { id = '', user = '' } = isObject(input) ? input : {};
  if (typeof id !== 'string' || typeof user !== 'string' || (id.trim() === '') === (user === '')) {
    throw new RangeError('Give "id", the id of a session or a person, or "user", the id of a user: one of the two.');
  }
  if (user !== '') return { subject: personOf(user), user };
  return { subject: checkSubjectId(id) };
}

/** Checks the id of a session or a person.
 *  @throws RangeError */
export function checkSubjectId(given: unknown): string {
  const id = String(given).trim();
  const token = tokenIn(id);
  if (token !== undefined) {
    throw new RangeError(
      `"id" is a token, or a cookie with one, and no id: it is a secret. Its session is ${sessionOf(token)}: look for that.`,
    );
  }
  if (isSession(id)) return id;
  throw new RangeError('"id" is no id of a session or a person: give 1 to 128 of A-Z, a-z, 0-9, _ and -.');
}
