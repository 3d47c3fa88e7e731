/** The field that marks an express-session as initialised. */
const INITIALISED_FIELD = 'sessionwise';

/** Marks a session as initialised: else, with `saveUninitialized: false`, express-session neither saves it nor sends its
 *  cookie, and the next request begins another. */
export function markInitialised(session: object): void {
  const fields = session as Record<string, unknown>;
  fields[INITIALISED_FIELD] ??= 1;
}
