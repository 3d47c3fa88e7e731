import { sessionOf } from './session-id.ts';

/* person-id.ts: a person stands on the wire where a session does. The id is made of the user id by everybody alike, and ends
 * with a character with which no session's id ends that is made of a token: so no token, whatever its form, acts for a person. */

const PERSON = /^[0-9a-z]{25}_$/;
const MOST_CHARACTERS = 1_024;
// What becomes of a value that is missing, of an object or of a promise, where somebody makes a text of it.
const MISTAKE = /^(?:undefined|null|NaN|true|false|\[object \w+\])$/;
// Half of a pair, which UTF-8 cannot write: the ids of all users that differ in such halves only would be one.
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Returns a user id that can be used.
 *  @throws RangeError for anything but a text of 1 to 1,024 characters, for a lone surrogate, and for what a mistake makes:
 *  "undefined", "null", "NaN", "[object Object]", "[object Promise]", "true", "false". All users with such an id would be
 *  one person. */
export function checkUserId(userId: unknown): string {
  if (typeof userId !== 'string' || userId.trim() === '' || userId.length > MOST_CHARACTERS) {
    const given =
      typeof userId === 'string' ? `a text of ${userId.length} characters` : `a value of type ${typeof userId}`;
    throw new RangeError(`This is no user id: ${given}. Give a text of 1 to ${MOST_CHARACTERS} characters.`);
  }
  if (LONE_SURROGATE.test(userId)) {
    throw new RangeError('This is no user id: it has half of a character (a lone surrogate). Give a whole text.');
  }
  if (!isMistake(userId)) return userId;
  throw new RangeError(`The user id is "${userId}", which a missing value makes: give the id of one user.`);
}

/** Whether a text is what a mistake makes of a value: it names nobody, and everybody to whom the mistake happens. */
export function isMistake(text: string): boolean {
  return MISTAKE.test(text);
}

/** Returns the id under which a person is asked about: 25 of `[0-9a-z]` and `_`. The user id cannot be computed from it, but
 *  who knows a user id can make it.
 *  @throws RangeError as `checkUserId` does. */
export function personOf(userId: string): string {
  return `${sessionOf(`person\0${checkUserId(userId)}`)}_`;
}

/** Whether the id of a session is a person's. */
export function isPerson(session: string): boolean {
  return PERSON.test(session);
}
