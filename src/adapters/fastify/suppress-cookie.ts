import type { LibrarySession } from './library-session.ts';

/** Methods that @fastify/cookie adds to a reply; and Node's response beneath. */
export interface CookieReply {
  readonly raw?: { readonly headersSent: boolean };
  setCookie(name: string, value: string, options?: object): unknown;
  clearCookie(name: string, options?: object): unknown;
}

/** Properties that it adds to a request. */
export interface CookieRequest {
  session?: object | null;
  readonly cookies?: Readonly<Record<string, string | undefined>>;
}

const suppressedByReply = new WeakMap<CookieReply, WeakSet<LibrarySession>>();

/** Lets a reply set the cookie of this session again. */
export function allowCookie(reply: CookieReply, session: LibrarySession): void {
  suppressedByReply.get(reply)?.delete(session);
}

/** Sees to it that a reply neither sets nor clears the cookie of this session. With `rolling`, a slow request with the
 *  previous secret would put that back into a browser that has the new one by now; and an empty session that stands in
 *  for one that could not be read would give the cookie another lifetime. Cookies of any other session and of the
 *  application pass, and so do all cookies once the request has ended the session. */
export function suppressCookie(request: CookieRequest, reply: CookieReply, session: LibrarySession): void {
  const suppressed = suppressedByReply.get(reply);
  if (suppressed) {
    suppressed.add(session);
    return;
  }
  const sessions = new WeakSet([session]);
  suppressedByReply.set(reply, sessions);
  const { setCookie, clearCookie } = reply;
  const current = (): LibrarySession | undefined => {
    const session = request.session as LibrarySession | null | undefined;
    return session && sessions.has(session) ? session : undefined;
  };
  reply.setCookie = function (this: CookieReply, name, value, options) {
    // The library puts its option `cookiePrefix` before it.
    const isOurs = current() && value.endsWith(current()!.encryptedSessionId);
    return isOurs ? this : setCookie.call(this, name, value, options);
  };
  reply.clearCookie = function (this: CookieReply, name, options) {
    // Signed with an older key of the application, it differs from what the library would sign now, and is cleared.
    const isOurs = current() && request.cookies?.[name]?.includes(current()!.sessionId);
    return isOurs ? this : clearCookie.call(this, name, options);
  };
}
