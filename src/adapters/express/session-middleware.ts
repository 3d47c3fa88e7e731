import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SessionClient } from '../../client/session-client.ts';
import type { SessionHandle } from '../../client/session-handle.ts';
import { checkOptions, type OptionForms } from '../../protocol/check-options.ts';
import { bearerOf, isDocument, type PageviewMode } from '../http/page-request.ts';
import { checkTokenStore, sessionOfToken, type TokenVerifier } from '../http/session-of-token.ts';
import { markInitialised } from '../index.ts';
import { SessionStore } from './session-store.ts';

/** What the middleware needs of a request: Express's, with or without express-session. */
export interface SessionRequest extends IncomingMessage {
  originalUrl?: string;
  sessionID?: string;
  session?: object;
  sessionStore?: unknown;
  sessionwise?: SessionHandle;
}

export interface SessionMiddlewareOptions<Request extends SessionRequest = SessionRequest> {
  readonly client: SessionClient;
  /** The request's token; the session is made from it, and it goes nowhere else. What your function returns it has
   *  checked: `request => request.sessionID` takes no bearer tokens, `request => keyOf(request) ?? request.sessionID`
   *  takes API keys of your own. Default: a bearer token of the Authorization header, else express-session's id, whose
   *  signature express-session has checked. A bearer token counts only while `store` knows it. A token of our own form
   *  (`createToken`) is looked up there even where your function returned it. */
  readonly token?: (request: Request) => string | undefined;
  /** The store that knows the bearer tokens. Default: that of express-session, where it is a SessionStore. Without one a
   *  token of our own form is nobody's, and any other is taken as it comes: then refuse those that you did not issue
   *  before this middleware. */
  readonly store?: { readonly data: TokenVerifier };
  /** What is done with a page view: `publish` (default) counts it and waits for nothing; `request` counts it too and
   *  has the answer in `request.sessionwise.view`; `off` does nothing; a function chooses for each request. */
  readonly pageview?: PageviewMode | ((request: Request) => PageviewMode);
  /** Whether a request is a page view at all. Default: GET, no prefetch, and a document where the browser says what it
   *  is. */
  readonly isPageview?: (request: Request) => boolean;
  /** Marks an express-session as initialised on its first view; else `saveUninitialized: false` gives each visit a new
   *  id. Default true. A request with a bearer token begins no session. */
  readonly trackAnonymous?: boolean;
}

declare global {
  namespace Express {
    interface Request {
      /** This session's handle. Set by Sessionwise's middleware; undefined where the request has no token, came with the
       *  previous secret, or its session could not be read. */
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
 *  nothing (but, within the store's deadline, for what the store says of a bearer token) and never fails a request. Mount
 *  it behind express-session and before the pages.
 *  @throws RangeError where no client is given, or an option is unknown or of the wrong type. */
export function sessionwise<Request extends SessionRequest = SessionRequest>(
  options: SessionMiddlewareOptions<Request>,
): (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void {
  checkOptions('sessionwise()', options, OPTIONS);
  checkTokenStore(options.store);
  const { client, token, store, pageview = 'publish', isPageview = isDocument, trackAnonymous = true } = options;
  if (typeof client?.session !== 'function')
    throw new RangeError('sessionwise() needs a client: sessionwise({ client: new SessionClient({ redis }) }).');

  const attach = (request: Request, session: string, isOwn: boolean): void => {
    const handle = client.session(session);
    request.sessionwise = handle;
    if (!isPageview(request)) return;
    const mode = typeof pageview === 'function' ? pageview(request) : pageview;
    if (isOwn && trackAnonymous && mode !== 'off' && request.session) markInitialised(request.session);
    const page = request.originalUrl ?? request.url ?? '/';
    if (mode === 'request') handle.view = handle.pageview(page);
    else if (mode === 'publish') void handle.publishPageview(page);
  };
  return (request, _response, next) => {
    const own = request.sessionID;
    const given = token ? token(request) : (bearerOf(request) ?? own);
    const ownStore = ownStoreOf(request);
    // Within a grace the previous secret reads the data of before, and nothing else; of a degraded session nobody has
    // checked the secret.
    if (given === own && (ownStore?.info(request)?.byPreviousSecret || ownStore?.isDegraded(request))) {
      next();
      return;
    }
    if (given && given !== own) ownStore?.leaveUnsaved(request);
    const session = sessionOfToken(given, {
      own,
      isChecked: token !== undefined,
      store: (store ?? ownStore)?.data,
    });
    if (session instanceof Promise) {
      // The page's own error must not look like one of ours.
      session.then((verified) => process.nextTick(proceed, verified), next);
    } else {
      proceed(session);
    }
    function proceed(verified: string | undefined): void {
      try {
        if (verified !== undefined) attach(request, verified, given === own);
      } catch (error) {
        // Of a function that the site gave.
        next(error);
        return;
      }
      next();
    }
  };
}

function ownStoreOf({ sessionStore }: SessionRequest): SessionStore | undefined {
  return sessionStore instanceof SessionStore ? sessionStore : undefined;
}
