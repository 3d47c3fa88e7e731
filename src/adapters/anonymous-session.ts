/** The field that marks an express-session as initialised. */
const INITIALISED_FIELD = 'sessionwise';

/** Marks a session as initialised: else, with `saveUninitialized: false`, express-session neither saves it nor sends its
 *  cookie, and the next request begins another. */
export function markInitialised(session: object): void {
  const fields = session as Record<string, unknown>;
  fields[INITIALISED_FIELD] ??= 1;
}

/** Whether the application has put nothing into a session: its cookie does not count, nor does our mark. */
export function holdsNothing(session: object): boolean {
  return Object.entries(session).every(
    ([name, value]) =>
      name === 'cookie' || name === INITIALISED_FIELD || value === undefined || typeof value === 'function',
  );
}
