import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestSessions } from '../index.ts';
import { responseOf } from './response-of.ts';

/* wrap-response.ts: what must happen around express-session at the end of a request.
 *
 * express-session wraps `response.end` and `response.writeHead`; these wrappers lie around its own, because the session
 * is made after it has put them there.
 *
 * 1. It looks whether the session was changed by writing it as JSON, after it has noted that the response has ended. What
 *    cannot be written would throw there and leave the request without an answer. So that is looked at before.
 * 2. It sets the cookie with the token that the request came with. A slow request that began before a rotation would put
 *    the previous secret back into a browser that has the new one; an empty session that stands in for one that could
 *    not be read would replace a real cookie. Such a cookie is suppressed: express-session sets one only where
 *    `request.sessionID` is a string as the headers are written.
 *
 * Whether another process has rotated meanwhile, only Redis knows; it is asked where a cookie may be set. A response
 * whose headers are written before its end (streams) cannot wait for that; there this process's own rotations are
 * known. */

/** What the wrapper needs of a request. */
export type WrappedRequest = IncomingMessage & { session?: object; sessionID?: string | undefined; secure?: boolean };

/** Setting of the application that its responses show. */
export interface ObservedRolling {
  /** Whether express-session sets a cookie with every response (`rolling`). Undefined until one was seen. */
  rolling: boolean | undefined;
}

const wrapped = new WeakSet<ServerResponse>();

/** Wraps the response of a request, once. `token`: what it came with; undefined where its session is a new one. */
export function wrapResponse(
  request: WrappedRequest,
  token: string | undefined,
  sessions: RequestSessions,
  observed: ObservedRolling,
): void {
  const response = responseOf(request);
  if (!response || wrapped.has(response)) return;
  wrapped.add(response);
  let suppresses = false;
  let asked = false;
  let isEnding = false;

  const writeHead = response.writeHead;
  response.writeHead = function (this: ServerResponse, ...args: unknown[]): ServerResponse {
    const { session, sessionID } = request;
    // After `regenerate` or `rotate` it is another token, and that is to be sent.
    const own = session !== undefined && sessionID !== undefined && sessionID === token;
    // But for what is nobody's session: a login that failed half way leaves such a one, under another token.
    const isNobodys =
      session !== undefined && (sessions.states.isUnneeded(session) || sessions.states.isStandIn(session));
    if (!(own && (suppresses || sessions.states.suppressesCookie(session))) && !isNobodys)
      return Reflect.apply(writeHead, this, args) as ServerResponse;
    request.sessionID = undefined;
    try {
      return Reflect.apply(writeHead, this, args) as ServerResponse;
    } finally {
      request.sessionID = sessionID;
    }
  } as typeof writeHead;

  const end = response.end;
  response.end = function (this: ServerResponse, ...args: unknown[]): ServerResponse {
    const finish = (): ServerResponse => Reflect.apply(end, this, args) as ServerResponse;
    // What comes behind the first end is not looked at, as in express-session.
    if (isEnding) return this;
    const { session, sessionID } = request;
    if (!session) return finish();
    sessions.states.checkFields(session);
    const cookieMayBeSet = !asked && !this.headersSent && sessionID !== undefined && sessionID === token;
    if (!cookieMayBeSet || sessions.states.suppressesCookie(session) || !sessions.states.loadedOf(session))
      return finish();
    const observes = observed.rolling === undefined && sessions.isUnchanged(session);
    if (observed.rolling === false && (!expires(session) || sessions.isUnchanged(session))) return finish();
    asked = true;
    isEnding = true;
    const restore = snapshotHead(this);
    void sessions.isCurrent(sessionID).then((isCurrent) => {
      suppresses = !isCurrent;
      isEnding = false;
      restore();
      try {
        // A handler may have changed the session behind its answer.
        putBack(request, sessions);
        finish();
      } catch (error) {
        this.destroy(error as Error);
      }
      if (observes && isCurrent) observeRolling(observed, request, this, sessionID);
    });
    return this;
  } as typeof end;
}

function putBack({ session }: WrappedRequest, sessions: RequestSessions): void {
  try {
    if (session) sessions.states.checkFields(session);
  } catch {
    // What could not be written is what it was before; nobody waits for the error any more.
  }
}

// A handler that fails behind its answer finds headers that are not sent yet, and an error page would set its own.
function snapshotHead(response: ServerResponse): () => void {
  const { statusCode, statusMessage } = response;
  const headers = response.getHeaders();
  return () => {
    for (const name of response.getHeaderNames()) if (!(name in headers)) response.removeHeader(name);
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value);
    Object.assign(response, { statusCode, statusMessage });
  };
}

// The cookie of an unchanged session is set only where `rolling` is on; a secure one only where the request was.
function observeRolling(
  observed: ObservedRolling,
  request: WrappedRequest,
  response: ServerResponse,
  token: string,
): void {
  const cookie = (request.session as { cookie?: { secure?: unknown } } | undefined)?.cookie;
  const cookies = [response.getHeader('set-cookie') ?? []].flat().join('\n');
  if (cookies.includes(encodeURIComponent(token))) observed.rolling = true;
  else if (!cookie?.secure || request.secure) observed.rolling = false;
}

function expires(session: object): boolean {
  const { cookie } = session as { cookie?: { expires?: unknown } };
  return cookie?.expires !== null && cookie?.expires !== undefined;
}
