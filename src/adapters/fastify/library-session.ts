/* library-session.ts: access to parts of the sessions of @fastify/session that have no methods.
 *
 * It keeps a session's token and request under symbols of its own module, so they are found by their descriptions. On
 * another version these functions return undefined or throw a clear error, and never make half a change. */

/** A cookie, as far as we look at it. */
export interface LibraryCookie {
  expires: Date | null;
  readonly originalMaxAge: number | null;
}

/** A session of @fastify/session. */
export interface LibrarySession {
  readonly sessionId: string;
  readonly encryptedSessionId: string;
  readonly cookie: LibraryCookie;
}

/** Request of a session: Fastify's, or an object that was given to `decryptSession`. */
export interface LibraryRequest {
  session?: object | null;
}

interface Signer {
  sign(value: string): string;
}

/** Names that @fastify/session uses itself on its sessions. A stored field of such a name would take a method's place,
 *  or is left out by it. */
export const LIBRARY_NAMES: ReadonlySet<string> = new Set([
  'sessionId',
  'encryptedSessionId',
  'options',
  'touch',
  'regenerate',
  'get',
  'set',
  'destroy',
  'reload',
  'save',
  'isModified',
  'isSaved',
]);

/** Whether an object is a session of @fastify/session, and no plain data. */
export function isLibrarySession(values: object): values is LibrarySession {
  return slotOf(values, 'sessionId') !== undefined && 'encryptedSessionId' in values;
}

/** The request that a session is for; undefined for plain data. */
export function requestOf(session: object): LibraryRequest | undefined {
  const slot = slotOf(session, 'request');
  return slot && (session as Record<symbol, LibraryRequest>)[slot];
}

/** Gives a function that gives the session another token, so that the response carries its cookie. The session stays the
 *  same object.
 *  @throws TypeError where this version of @fastify/session keeps tokens in a way that is not known; nothing was changed
 *  then. */
export function tokenSetterOf(session: LibrarySession): (token: string) => void {
  const id = slotOf(session, 'sessionId');
  const signed = slotOf(session, 'encryptedSessionId');
  const signer = slotOf(session, 'cookieSignerKey');
  if (!id || !signed || !signer) {
    throw new TypeError(
      'rotate() does not know how this version of @fastify/session keeps a token: use version 11, or regenerate().',
    );
  }
  const slots = session as unknown as Record<symbol, unknown>;
  return (token) => {
    slots[id] = token;
    slots[signed] = (slots[signer] as Signer).sign(token);
    askForCookie(session);
  };
}

/** Sees to it that the response carries the session's cookie. Without `rolling`, and with nothing changed, the library
 *  sends none for a session that is new, and clears the one of a token that was replaced. */
export function askForCookie(session: LibrarySession): void {
  Object.defineProperty(session, 'isModified', { value: () => true, configurable: true, writable: true });
}

/** Calls `changed` when the session's `regenerate` begins (`true`) and has called the store (`false`): the library ends the
 *  session there by the same call as in `destroy`. */
export function watchRegenerate(session: LibrarySession, changed: (isRegenerating: boolean) => void): void {
  const { regenerate } = session as LibrarySession & { regenerate?: unknown };
  if (typeof regenerate !== 'function' || Object.hasOwn(session, 'regenerate')) return;
  const value = function (this: LibrarySession, ...args: unknown[]): unknown {
    changed(true);
    try {
      return Reflect.apply(regenerate, this, args);
    } finally {
      changed(false);
    }
  };
  Object.defineProperty(session, 'regenerate', { value, configurable: true, writable: true });
}

function slotOf(session: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(session).find((symbol) => symbol.description === description);
}
