import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SessionClient } from '../client/session-client.ts';
import type { SessionHandle } from '../client/session-handle.ts';
import { markInitialised } from '../http/mark-initialised.ts';
import { bearerOf, isDocument, type PageviewMode } from '../http/page-request.ts';
import { sessionOfBearer } from '../http/verified-session.ts';
import { checkOptions, type OptionForms } from '../protocol/check-options.ts';
import { sessionOf } from '../protocol/index.ts';
import type { SessionData } from '../store/index.ts';

/** What the middleware needs of a request: Express's, with or without express-session. */
export interface SessionRequest extends IncomingMessage {
  originalUrl?: string;
  sessionID?: string;
  session?: object;
  sessionwise?: SessionHandle;
}

export interface SessionMiddlewareOptions<Request extends SessionRequest = SessionRequest> {
  readonly client: SessionClient;
  /** The request's token; the session is made from it, and it goes nowhere else. A function of yours has checked it.
   *  Default: a bearer token of the Authorization header, else express-session's id, whose signature express-session
   *  has checked. A bearer token of our own form (`createToken`) counts only where `store` knows its secret; any other
   *  is taken as it comes, so an API refuses those it did not issue before this middleware. */
  readonly token?: (request: Request) => string | undefined;
  /** The store whose sessions bearer tokens of our own form belong to. Without it such a token is nobody's. */
  readonly store?: { readonly data: Pick<SessionData, 'load'> };
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

declare global {
  namespace Express {
    interface Request {
      /** This session's handle. Set by Sessionwise's middleware; undefined where the request has no token. */
      sessionwise?: SessionHandle;
    }
  }
}

const OPTIONS: OptionForms<SessionMiddlewareOptions> = {
  client: 'object',
  token: 'function',
  store: 'object',
  pageview: '"publish"|"request"|"off"|function',
  isPageview: 'function',
  trackAnonymous: 'boolean',
};

/** Express middleware: attaches the session's handle as `request.sessionwise` and counts the page view. It waits for
 *  nothing (but, within the store's deadline, for what the store says of a bearer token of our own form) and never fails
 *  a request. Mount it behind express-session and before the pages.
 *  @throws RangeError where no client is given, or an option is unknown or of the wrong type. */
export function sessionwise<Request extends SessionRequest = SessionRequest>(
  options: SessionMiddlewareOptions<Request>,
): (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void {
  checkOptions('sessionwise()', options, OPTIONS);
  const { client, token, store, pageview = 'publish', isPageview = isDocument, trackAnonymous = true } = options;
  if (typeof client?.session !== 'function')
    throw new RangeError('sessionwise() needs a client: sessionwise({ client: new SessionClient({ redis }) }).');

  const attach = (request: Request, session: string): void => {
    const handle = client.session(session);
    request.sessionwise = handle;
    if (!isPageview(request)) return;
    const mode = typeof pageview === 'function' ? pageview(request) : pageview;
    if (trackAnonymous && mode !== 'off' && request.session) markInitialised(request.session);
    const page = request.originalUrl ?? request.url ?? '/';
    if (mode === 'request') handle.view = handle.pageview(page);
    else if (mode === 'publish') void handle.publishPageview(page);
  };
  const sessionOfRequest = (request: Request): ReturnType<typeof sessionOfBearer> => {
    const bearer = token ? undefined : bearerOf(request);
    if (bearer !== undefined) return sessionOfBearer(bearer, store?.data);
    const secret = token ? token(request) : request.sessionID;
    return secret === undefined || secret === '' ? undefined : sessionOf(secret);
  };
  return (request, _response, next) => {
    const session = sessionOfRequest(request);
    if (session instanceof Promise) {
      // The page's own error must not look like one of ours.
      session.then((verified) => process.nextTick(proceed, verified), next);
    } else {
      proceed(session);
    }
    function proceed(verified: string | undefined): void {
      try {
        if (verified !== undefined) attach(request, verified);
      } catch (error) {
        // Of a function that the site gave.
        next(error);
        return;
      }
      next();
    }
  };
}

/** A bearer token of the Authorization header, else express-session's id. */
export function tokenOf(request: SessionRequest): string | undefined {
  return bearerOf(request) ?? request.sessionID;
}
