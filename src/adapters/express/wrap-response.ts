import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestSessions } from '../index.ts';
import { responseOf } from './response-of.ts';

/* wrap-response.ts: two steps around express-session at the end of a request.
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

/** Part of a request that the wrapper needs. */
export type WrappedRequest = IncomingMessage & { session?: object; sessionID?: string | undefined; secure?: boolean };

/** Setting of the application that its responses show. */
export interface ObservedRolling {
  /** Whether express-session sets a cookie with every response (`rolling`). Undefined until one was seen. */
  rolling: boolean | undefined;
}

const wrapped = new WeakSet<ServerResponse>();

/** Wraps the response of a request, once. `token`: the one that the request came with; undefined if its session
 *  is new. */
export function wrapResponse(
  request: WrappedRequest,
  token: string | undefined,
  sessions: RequestSessions,
  observed: ObservedRolling,
): void {
  const response = responseOf(request);
  if (!response || wrapped.has(response)) return;
  wrapped.add(response);
  const ending = new ResponseEnding(request, token, sessions, observed);
  const { writeHead, end } = response;
  response.writeHead = function (this: ServerResponse, ...args: unknown[]): ServerResponse {
    return ending.writeHead(() => Reflect.apply(writeHead, this, args) as ServerResponse);
  } as typeof writeHead;
  response.end = function (this: ServerResponse, ...args: unknown[]): ServerResponse {
    return ending.end(this, () => Reflect.apply(end, this, args) as ServerResponse);
  } as typeof end;
}

/** Ends one response: checks the session's fields, and decides whether its cookie is suppressed. */
class ResponseEnding {
  readonly #request: WrappedRequest;
  readonly #token: string | undefined;
  readonly #sessions: RequestSessions;
  readonly #observed: ObservedRolling;
  /** Whether Redis says that the token's secret was replaced, or could not say. */
  #isStale = false;
  #hasAsked = false;
  #isAsking = false;

  constructor(
    request: WrappedRequest,
    token: string | undefined,
    sessions: RequestSessions,
    observed: ObservedRolling,
  ) {
    this.#request = request;
    this.#token = token;
    this.#sessions = sessions;
    this.#observed = observed;
  }

  writeHead(proceed: () => ServerResponse): ServerResponse {
    if (!this.#suppressesCookie()) return proceed();
    const { sessionID } = this.#request;
    this.#request.sessionID = undefined;
    try {
      return proceed();
    } finally {
      this.#request.sessionID = sessionID;
    }
  }

  end(response: ServerResponse, finish: () => ServerResponse): ServerResponse {
    // A second end is ignored, as in express-session.
    if (this.#isAsking) return response;
    const { session, sessionID } = this.#request;
    if (!session) return finish();
    this.#sessions.states.checkFields(session);
    if (sessionID === undefined || !this.#mayBeSet(response, session)) return finish();
    const observes = this.#observed.rolling === undefined && this.#sessions.isUnchanged(session);
    this.#hasAsked = true;
    this.#isAsking = true;
    const restore = snapshotHead(response);
    void this.#sessions.isCurrent(sessionID).then((isCurrent) => {
      this.#isStale = !isCurrent;
      this.#isAsking = false;
      restore();
      try {
        // A handler may have changed the session behind its answer.
        putBack(this.#request, this.#sessions);
        finish();
      } catch (error) {
        response.destroy(error as Error);
      }
      if (observes && isCurrent) observeRolling(this.#observed, this.#request, response, sessionID);
    });
    return response;
  }

  #suppressesCookie(): boolean {
    const { states } = this.#sessions;
    const { session, sessionID } = this.#request;
    if (session === undefined) return false;
    // A session that is not to be saved, under whatever token: a login that failed half way leaves such a one.
    if (states.isUnneeded(session) || states.isStandIn(session)) return true;
    // After `regenerate` or `rotate` it is another token, and that is to be sent.
    if (sessionID === undefined || sessionID !== this.#token) return false;
    return this.#isStale || states.suppressesCookie(session);
  }

  // Whether express-session may set the cookie that the request came with, so that Redis has to be asked.
  #mayBeSet(response: ServerResponse, session: object): boolean {
    if (this.#hasAsked || response.headersSent || this.#request.sessionID !== this.#token) return false;
    const { states } = this.#sessions;
    if (states.suppressesCookie(session) || !states.loadedOf(session)) return false;
    return this.#observed.rolling !== false || (expires(session) && !this.#sessions.isUnchanged(session));
  }
}

function putBack({ session }: WrappedRequest, sessions: RequestSessions): void {
  try {
    if (session) sessions.states.checkFields(session);
  } catch {
    // The field was put back; the answer is on its way, so the error has no reader.
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
