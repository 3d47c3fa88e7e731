import { isSession, personOf, sessionOf } from '../protocol/index.ts';
import { tokenIn } from '../protocol/internal/index.ts';
import { NotInspectedError } from './not-inspected-error.ts';
import { UsageError } from './usage-error.ts';

/** Whom to inspect. `id`: as it stands on the wire. */
export type Inspected = { readonly id: string } & ({ readonly session: string } | { readonly user: string });

/** Reads the session or the user off the command line.
 *  @throws UsageError, NotInspectedError; neither shows what could be a token. */
export function inspectedOf(session: string | undefined, user: string | undefined): Inspected {
  if ((session === undefined) === (user === undefined)) {
    throw new UsageError('Give the public id of a session, or --user ID, and not both.');
  }
  if (user !== undefined) return { user, id: personOfUser(user) };
  const token = tokenIn(session!);
  if (token !== undefined) throw new NotInspectedError(notASession(sessionOf(token)));
  if (isSession(session!)) return { session: session!, id: session! };
  throw new UsageError(
    'This is no session id: give 1 to 128 of A-Z, a-z, 0-9, _ and -. A token is not one; sessionOf(token) computes it.',
  );
}

/** Says that a token was given, and of which session. */
export function notASession(session: string): string {
  return `This is a token, or a cookie with one, and no session id: it is a secret, and stands in your shell's history now. Its session is ${session}; inspect that.`;
}

function personOfUser(user: string): string {
  try {
    return personOf(user);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
