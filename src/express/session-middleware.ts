import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SessionClient } from '../client/session-client.ts';
import type { SessionHandle } from '../client/session-handle.ts';
import { sessionOf } from '../protocol/index.ts';

/** What the middleware needs of a request: Express's, with or without express-session. */
export interface SessionRequest extends IncomingMessage {
  originalUrl?: string;
  sessionID?: string;
  session?: object;
  sessionwise?: SessionHandle;
}

export interface SessionMiddlewareOptions<Request extends SessionRequest = SessionRequest> {
  readonly client: SessionClient;
  /** The request's token; the session is made from it, and it goes nowhere else. Default: a bearer token of the
   *  Authorization header, else express-session's id. A cookie's signature is express-session's to check; a bearer token
   *  is taken as it comes, so an API refuses those it did not issue before this middleware. */
  readonly token?: (request: Request) => string | undefined;
  /** What is done with a page view: `publish` (default) counts it and waits for nothing; `request` counts it too and
   *  has the answer in `request.sessionwise.view`; `off` does nothing; a function chooses for each request. */
  readonly pageview?: PageviewMode | ((request: Request) => PageviewMode);
  /** Whether a request is a page view at all. Default: GET, no prefetch, and a document where the browser says what it
   *  is. */
  readonly isPageview?: (request: Request) => boolean;
  /** Marks an express-session as initialised on its first view; else `saveUninitialized: false` gives each visit a new
   *  id. Default true. */
  readonly trackAnonymous?: boolean;
}

export type PageviewMode = 'publish' | 'request' | 'off';

/** The field that marks an express-session as initialised. */
export const INITIALISED_FIELD = 'sessionwise';

declare global {
  namespace Express {
    interface Request {
      /** This session's handle. Set by Sessionwise's middleware; undefined where the request has no token. */
      sessionwise?: SessionHandle;
    }
  }
}

/** Express middleware: attaches the session's handle as `request.sessionwise` and counts the page view. It waits for
 *  nothing and never fails a request. Mount it behind express-session and before the pages.
 *  @throws RangeError where no client is given. */
export function sessionwise<Request extends SessionRequest = SessionRequest>(
  options: SessionMiddlewareOptions<Request>,
): (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void {
  const { client, token = tokenOf, pageview = 'publish', isPageview = isDocument, trackAnonymous = true } = options;
  if (!client)
    throw new RangeError('sessionwise() needs a client: sessionwise({ client: new SessionClient({ redis }) }).');
  return (request, _response, next) => {
    const secret = token(request);
    if (secret === undefined || secret === '') return next();
    const handle = client.session(sessionOf(secret));
    request.sessionwise = handle;
    if (isPageview(request)) {
      const mode = typeof pageview === 'function' ? pageview(request) : pageview;
      if (trackAnonymous && mode !== 'off') markInitialised(request);
      const page = request.originalUrl ?? request.url ?? '/';
      if (mode === 'request') handle.view = handle.pageview(page);
      else if (mode === 'publish') void handle.publishPageview(page);
    }
    next();
  };
}

/** A bearer token of the Authorization header, else express-session's id. */
export function tokenOf(request: SessionRequest): string | undefined {
  const bearer = /^Bearer +([^\s]+) *$/i.exec(request.headers.authorization ?? '');
  return bearer?.[1] ?? request.sessionID;
}

function isDocument(request: SessionRequest): boolean {
  if (request.method !== 'GET') return false;
  const { headers } = request;
  const purpose = headers['sec-purpose'] ?? headers.purpose ?? headers['x-purpose'];
  if (typeof purpose === 'string' && /prefetch|preview/i.test(purpose)) return false;
  const destination = headers['sec-fetch-dest'];
  return destination === undefined || destination === 'document';
}

function markInitialised(request: SessionRequest): void {
  const session = request.session as Record<string, unknown> | undefined;
  if (session && session[INITIALISED_FIELD] === undefined) session[INITIALISED_FIELD] = 1;
}
