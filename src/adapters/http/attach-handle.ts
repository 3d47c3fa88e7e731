import type { SessionClient, SessionHandle } from '../../client/index.ts';
import { checkOptions, type OptionForms } from '../../protocol/internal/index.ts';
import { bearerOf, isDocument, type PageRequest, type PageviewMode } from './page-request.ts';
import { checkTokenStore, sessionOfToken, type TokenVerifier } from './session-of-token.ts';

/** Options of an adapter's middleware; `Request` is the framework's. */
export interface HandleOptions<Request> {
  /** Asks the services. An adapter may require it; without one, no handle is attached and no page view counted. */
  readonly client?: SessionClient;
  /** The request's token; the session is made from it, and it goes nowhere else. Your function must have checked
   *  the token that it returns: a function that returns the framework's own id takes no bearer tokens, one that returns
   *  `keyOf(request) ?? ownId` takes API keys of your own. Default: a bearer token of the Authorization header, else the
   *  id of the framework's session, whose signature the framework has checked. A bearer token counts only while `store`
   *  knows it. A token of our own form (`createToken`) is looked up there even where your function returned it. */
  readonly token?: (request: Request) => string | undefined;
  /** The store that knows the bearer tokens. Default: that of the framework's sessions, where it is one of ours. Without
   *  one, a token of our own form belongs to no session, and any other is taken as it comes: then refuse those that you
   *  did not issue before this middleware. */
  readonly store?: { readonly data: TokenVerifier };
  /** Treatment of a page view: `publish` (default) counts it and waits for nothing; `request` counts it too and
   *  has the answer in `request.sessionwise.view`; `off` does nothing; a function chooses for each request. */
  readonly pageview?: PageviewMode | ((request: Request) => PageviewMode);
  /** Whether a request is a page view at all. Default: GET, no prefetch, and a document if the browser sends
   *  Sec-Fetch-Dest. */
  readonly isPageview?: (request: Request) => boolean;
  /** Marks a session as used on its first view; else a framework that saves no empty sessions gives each visit a new id.
   *  Default true. A request with a bearer token begins no session. */
  readonly trackAnonymous?: boolean;
}

/** Forms of the options, for `checkOptions`. */
export const HANDLE_OPTIONS: OptionForms<HandleOptions<never>> = {
  client: 'object',
  token: 'function',
  store: 'object',
  pageview: '"publish"|"request"|"off"|function',
  isPageview: 'function',
  trackAnonymous: 'boolean',
};

/** A request, as its adapter shows it to `HandleAttacher`. */
export interface HandleRequest<Request> extends PageRequest {
  /** Path and query as the browser asked for them, and not as a router or a rewrite has left them. */
  readonly url: string;
  /** Token of the framework's session; undefined where the request has none. */
  readonly ownToken: string | undefined;
  /** Store of the framework's session, where it is one of ours: a RequestStore. */
  readonly ownStore: HandleStore<Request> | undefined;
  /** Sets `request.sessionwise`. */
  attach(handle: SessionHandle): void;
  /** Marks the framework's session as used, so that it is saved and its cookie sent. Called at page views. */
  track(): void;
}

/** Part of a RequestStore that attaching a handle needs. */
export interface HandleStore<Request> {
  readonly data: TokenVerifier;
  info(request: Request): { readonly byPreviousSecret: boolean } | undefined;
  isDegraded(request: Request): boolean;
  leaveUnsaved(request: Request): void;
}

/** Attaches handles to requests and counts their page views: the middleware of an adapter, without the framework. */
export class HandleAttacher<Request> {
  readonly #options: HandleOptions<Request>;

  /** `owner`: the middleware's name in messages. `more`: forms of options that the framework adds.
   *  @throws RangeError for an option that is unknown or of the wrong type. */
  constructor(owner: string, options: HandleOptions<Request>, more: Readonly<Record<string, string>> = {}) {
    checkOptions(owner, options, { ...HANDLE_OPTIONS, ...more });
    checkTokenStore(options.store);
    this.#options = options;
  }

  /** Attaches the handle of the session that a request acts for, if any, and counts the page view. Returns undefined where
   *  that is done at once; a promise only where the store is asked about a bearer token, within its deadline.
   *  @throws errors of the functions in the options. Nothing else fails: without an answer there is no handle. */
  attach(request: Request, page: HandleRequest<Request>): Promise<void> | undefined {
    const { client, token, store } = this.#options;
    const { ownToken, ownStore } = page;
    const given = token ? token(request) : (bearerOf(page) ?? ownToken);
    const isOwn = given === ownToken;
    // Within a grace the previous secret reads the data of before, and nothing else. The secret of a degraded session was
    // not checked.
    if (isOwn && (ownStore?.info(request)?.byPreviousSecret || ownStore?.isDegraded(request))) return undefined;
    if (given && !isOwn) ownStore?.leaveUnsaved(request);
    if (!client) return undefined;
    const isChecked = token !== undefined;
    const session = sessionOfToken(given, { own: ownToken, isChecked, store: (store ?? ownStore)?.data });
    const proceed = (id: string | undefined): undefined => {
      if (id !== undefined) this.#attach(client, id, request, page, isOwn);
    };
    return session instanceof Promise ? session.then(proceed) : proceed(session);
  }

  #attach(client: SessionClient, id: string, request: Request, page: HandleRequest<Request>, isOwn: boolean): void {
    const { pageview = 'publish', isPageview, trackAnonymous = true } = this.#options;
    const handle = client.session(id);
    page.attach(handle);
    if (!(isPageview ? isPageview(request) : isDocument(page))) return;
    const mode = typeof pageview === 'function' ? pageview(request) : pageview;
    if (isOwn && trackAnonymous && mode !== 'off') page.track();
    if (mode === 'request') handle.view = handle.pageview(page.url);
    else if (mode === 'publish') void handle.publishPageview(page.url);
  }
}
