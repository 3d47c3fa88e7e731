import type { SessionClient, SessionHandle } from '../../client/index.ts';
import { sessionOf } from '../../protocol/index.ts';
import { checkHandleOptions, countsStatus, type HandleOptions } from './handle-options.ts';
import { bearerOf, isDocument, type PageRequest, type PageviewMode } from './page-request.ts';
import { sessionOfToken, type TokenVerifier } from './session-of-token.ts';

/** A request, as its adapter shows it to `HandleAttacher`. */
export interface HandleRequest<Request> extends PageRequest {
  /** Path and query as the browser asked for them, and not as a router or a rewrite has left them. */
  readonly url: string;
  /** Token of the session that the framework has for the request at this moment; undefined where it has none, or none any
   *  more. Make it a getter: it is read again when the answer has ended. */
  readonly ownToken: string | undefined;
  /** Store of the framework's session, where it is one of ours: a RequestStore. */
  readonly ownStore: HandleStore<Request> | undefined;
  /** Sets `request.sessionwise`. */
  attach(handle: SessionHandle): void;
  /** Marks the framework's session as used, so that it is saved and its cookie sent. Called at page views. */
  track(): void;
  /** Has the listener called with the answer's status when all of the answer was given to the connection, and not called
   *  where it broke off. With a response of Node: `response.on('finish', () => listener(response.statusCode))`. Called
   *  at page views that count then. */
  whenAnswered(listener: (statusCode: number) => void): void;
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
   *  @throws RangeError for an option that is unknown or of the wrong type, and for two that exclude each other. */
  constructor(owner: string, options: HandleOptions<Request>, more: Readonly<Record<string, string>> = {}) {
    checkHandleOptions(owner, options, more);
    this.#options = options;
  }

  /** Attaches the handle of the session that a request acts for, if any, and counts the page view: now, or when the
   *  answer has ended. Returns undefined where the handle is attached at once; a promise only where the store is asked
   *  about a bearer token, within its deadline.
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
    if (!client || !given) return undefined;
    const isChecked = token !== undefined;
    const session = sessionOfToken(given, { own: ownToken, isChecked, store: (store ?? ownStore)?.data });
    if (!(session instanceof Promise)) {
      if (session !== undefined) this.#attach(client, session, request, page, isOwn);
      return undefined;
    }
    return session.then((id) => {
      if (id !== undefined) this.#attach(client, id, request, page, isOwn);
    });
  }

  #attach(client: SessionClient, id: string, request: Request, page: HandleRequest<Request>, isOwn: boolean): void {
    const { countWhen = 'end', trackAnonymous = true } = this.#options;
    let mode: PageviewMode = 'off';
    let handle: SessionHandle;
    try {
      mode = this.#modeOf(request, page);
    } finally {
      // A page of the site that shows its own error has the handle too.
      handle = mode === 'off' ? client.session(id) : client.session(id, { page: page.url });
      page.attach(handle);
    }
    if (mode === 'off') return;
    if (isOwn && trackAnonymous) page.track();
    if (mode === 'request' || countWhen === 'start') void handle.request('pageview', page.url);
    else this.#countAtEnd(client, id, page, isOwn);
  }

  #modeOf(request: Request, page: HandleRequest<Request>): PageviewMode {
    const { pageview = 'publish', isPageview } = this.#options;
    if (!(isPageview ? isPageview(request) : isDocument(page))) return 'off';
    return typeof pageview === 'function' ? pageview(request) : pageview;
  }

  #countAtEnd(client: SessionClient, id: string, page: HandleRequest<Request>, isOwn: boolean): void {
    const { countRedirects = true } = this.#options;
    const { url, ownToken: begun } = page;
    page.whenAnswered((statusCode) => {
      if (!countsStatus(statusCode, countRedirects)) return;
      const { ownToken } = page;
      // The request has another session after `regenerate`, and none after `destroy`.
      if (isOwn && ownToken === undefined) return;
      void client.publish('pageview', isOwn && ownToken !== begun ? sessionOf(ownToken!) : id, url);
    });
  }
}
