import { handleWithoutVisitor, type PageOptions, type SessionClient, type SessionHandle } from '../../client/index.ts';
import { personOf, sessionOf } from '../../protocol/index.ts';
import { type Consent, consentOf } from './consent.ts';
import { isFirstCount } from './counted-requests.ts';
import { givenUser } from './given-user.ts';
import { checkHandleOptions, countsStatus, type HandleOptions } from './handle-options.ts';
import { isKnownRobot } from './known-robots.ts';
import { MergedVisitors } from './merged-visitors.ts';
import { bearerOf, isDocument, mayBeginVisitor, type PageRequest, type PageviewMode } from './page-request.ts';
import { sessionOfToken, type TokenSession, type TokenVerifier } from './session-of-token.ts';
import { Visit } from './visit.ts';
import { VisitorCookies } from './visitor-cookie.ts';

/** A request, as its adapter shows it to `HandleAttacher`. */
export interface HandleRequest<Request> extends PageRequest {
  /** Path and query as the browser asked for them, and not as a router or a rewrite has left them. */
  readonly url: string;
  /** Whether it came over https, as the framework says: behind a proxy with its setting to trust that. */
  readonly isSecure: boolean;
  /** Token of the session that the framework has for the request at this moment; undefined where it has none, or none any
   *  more. Make it a getter: it is read again when the answer has ended. */
  readonly ownToken: string | undefined;
  /** Store of the framework's session, where it is one of ours: a RequestStore. */
  readonly ownStore: HandleStore<Request> | undefined;
  /** Sets `request.sessionwise`. Called for every request, and again when somebody logs in within it. */
  attach(handle: SessionHandle): void;
  /** Has `cookieFor` called once when the head of the answer is about to be written, with its Cache-Control header, and
   *  adds the Set-Cookie line that it returns to those of others. With a response of Node: `setCookieAtHead`. */
  beforeHead(cookieFor: (cacheControl: string | undefined) => string | undefined): void;
  /** Has the listener called with the answer's status when all of the answer was given to the connection, and not called
   *  where it broke off. With a response of Node: `whenAnswered(response, listener)`. Called at page views
   *  that count then. */
  whenAnswered(listener: (statusCode: number) => void): void;
}

/** Part of a RequestStore that attaching a handle needs. */
export interface HandleStore<Request> {
  readonly data: TokenVerifier;
  info(request: Request): { readonly byPreviousSecret: boolean; readonly userId: string | undefined } | undefined;
  isDegraded(request: Request): boolean;
  leaveUnsaved(request: Request): void;
  whenIdentified(request: Request, listener: (userId: string) => void): void;
}

/** Whom a request is asked as. */
interface Asking {
  /** Opens the handle. */
  open(options: PageOptions): SessionHandle;
  /** Returns the id for which a page counts whose answer has ended; undefined where it counts for nobody. */
  atEnd(): string | undefined;
  /** Notes that the session was given to a user within the request. Returns whether what was counted so far is theirs. */
  identify?(userId: string): boolean;
}

/** The visit of a request, which all middlewares of it share: else each would begin a visitor. */
const VISIT = Symbol('sessionwise visit');

/** Attaches handles to requests, keeps the cookies of their visitors and counts their page views: the middleware of an
 *  adapter, without the framework. */
export class HandleAttacher<Request extends object> {
  readonly #owner: string;
  readonly #options: HandleOptions<Request>;
  readonly #cookies: VisitorCookies;
  readonly #merged = new MergedVisitors();

  /** `owner`: the middleware's name in messages. `more`: forms of options that the framework adds.
   *  @throws RangeError for an option that is unknown or of the wrong type, and for two that exclude each other. */
  constructor(owner: string, options: HandleOptions<Request>, more: Readonly<Record<string, string>> = {}) {
    checkHandleOptions(owner, options, more);
    this.#owner = owner;
    this.#options = options;
    this.#cookies = new VisitorCookies(owner, options.cookie);
  }

  /** Attaches the handle of whom a request is asked as, and counts the page view: now, or when the answer has ended. A
   *  request without a visitor has a handle that answers `undefined`. Returns undefined where the handle is attached at
   *  once; a promise only where the store is asked about a bearer token, within its deadline.
   *  @throws errors of the functions in the options, and RangeError where they return what cannot be used. Nothing else
   *  fails. */
  attach(request: Request, page: HandleRequest<Request>): Promise<void> | undefined {
    const { client, token } = this.#options;
    page.attach(client ? client.withoutVisitor() : handleWithoutVisitor());
    const bearer = bearerOf(page);
    const given = token ? token(request) : bearer;
    if (given) return this.#attachToken(given, request, page);
    // A client with a token of its own is no browser, whether the site takes the token or not.
    if (!client || bearer !== undefined || !isCertain(page.ownStore, request)) return undefined;
    if (this.#options.bots !== 'count' && isKnownRobot(page.header('user-agent'))) return undefined;
    this.#attachVisit(client, request, page);
    return undefined;
  }

  #attachToken(given: string, request: Request, page: HandleRequest<Request>): Promise<void> | undefined {
    const { client, token, store, user } = this.#options;
    const { ownToken, ownStore } = page;
    const isOwn = given === ownToken;
    if (isOwn && !isCertain(ownStore, request)) return undefined;
    if (!isOwn) ownStore?.leaveUnsaved(request);
    const consent = client && this.#consentOf(request, page);
    if (!client || consent === 'none') return undefined;
    const attach = (found: TokenSession | undefined): void => {
      if (!found) return;
      const userId = isOwn ? undefined : user ? givenUser(this.#owner, request, user) : found.userId;
      const subject = userId === undefined || consent !== 'all' ? found.session : personOf(userId);
      const atEnd = (): string | undefined => (isOwn ? sessionAtEnd(page) : subject);
      this.#attach(client, request, page, {
        open: (options) => client.session(subject, { ...options, browser: found.session }),
        atEnd,
      });
    };
    const isChecked = token !== undefined;
    const found = sessionOfToken(given, { own: ownToken, isChecked, store: (store ?? ownStore)?.data });
    if (found instanceof Promise) return found.then(attach);
    attach(found);
    return undefined;
  }

  #attachVisit(client: SessionClient, request: Request, page: HandleRequest<Request>): void {
    const visit = this.#visitOf(request, page);
    const open = (options: PageOptions): SessionHandle => {
      const { subject, mergesVisitor, browserSubject: browser } = visit;
      if (subject === undefined) return client.withoutVisitor({ page: options.page });
      const handle = client.session(subject, { ...options, browser });
      // The first that the page asks: it is answered before all else, and sent where nothing else is.
      if (mergesVisitor !== undefined) {
        void handle.request('identify', mergesVisitor).then((reply) => reply && visit.noteMerged());
      }
      return handle;
    };
    this.#attach(client, request, page, {
      open,
      atEnd: () => visit.subjectAtEnd,
      identify: (userId) => visit.identify(userId),
    });
  }

  #visitOf(request: Request, page: HandleRequest<Request>): Visit {
    const marked = request as { [VISIT]?: Visit };
    const before = marked[VISIT];
    if (before?.cookieName === this.#cookies.name) return before;
    const { user, isPageview } = this.#options;
    const { ownStore } = page;
    const isPage = isPageview ? isPageview(request) : isDocument(page);
    const visit = new Visit({
      cookies: this.#cookies,
      merged: this.#merged,
      consent: this.#consentOf(request, page),
      mayBegin: isPage || mayBeginVisitor(page),
      isPage,
      isSecure: page.isSecure,
      cookieHeader: page.header('cookie'),
      user: user ? () => givenUser(this.#owner, request, user) : () => ownStore?.info(request)?.userId,
    });
    marked[VISIT] = visit;
    if (visit.hasCookie) page.beforeHead((cacheControl) => visit.cookieLine(cacheControl));
    return visit;
  }

  #attach(client: SessionClient, request: Request, page: HandleRequest<Request>, asking: Asking): void {
    const { countWhen = 'end' } = this.#options;
    let mode: PageviewMode = 'off';
    let handle: SessionHandle;
    try {
      mode = this.#modeOf(request, page);
    } finally {
      // A page of the site that shows its own error has the handle too.
      const options = mode === 'off' ? {} : { page: page.url };
      handle = asking.open(options);
      page.attach(handle);
      page.ownStore?.whenIdentified(request, (userId) => {
        if (!asking.identify) return;
        // What was counted at the start is the person's by the time of an answer.
        const isCounted = asking.identify(userId) && mode === 'server' && countWhen === 'start';
        page.attach(asking.open({ ...options, ...(isCounted && { countedBy: handle }) }));
      });
    }
    if (mode !== 'server' || !isFirstCount(client, request)) return;
    if (countWhen === 'start') void handle.publish('pageview', page.url);
    else this.#countAtEnd(client, page, asking);
  }

  #countAtEnd(client: SessionClient, page: HandleRequest<Request>, asking: Asking): void {
    const { countRedirects = true } = this.#options;
    const { url } = page;
    page.whenAnswered((statusCode) => {
      const subject = countsStatus(statusCode, countRedirects) ? asking.atEnd() : undefined;
      if (subject !== undefined) void client.publish('pageview', subject, url);
    });
  }

  #consentOf(request: Request, page: HandleRequest<Request>): Consent {
    return consentOf(this.#owner, request, (name) => page.header(name), this.#options.consent);
  }

  #modeOf(request: Request, page: HandleRequest<Request>): PageviewMode {
    const { pageview = 'server', isPageview, track } = this.#options;
    if (!(isPageview ? isPageview(request) : isDocument(page)) || track?.(request) === false) return 'off';
    return typeof pageview === 'function' ? pageview(request) : pageview;
  }
}

// Within a grace the previous secret reads the data of before, and nothing else. The secret of a degraded session was not
// checked. Of neither it is known whether somebody is logged in.
function isCertain<Request>(store: HandleStore<Request> | undefined, request: Request): boolean {
  return !store || !(store.info(request)?.byPreviousSecret || store.isDegraded(request));
}

// The request has another session after `regenerate`, and none after `destroy`.
function sessionAtEnd<Request>({ ownToken }: HandleRequest<Request>): string | undefined {
  return ownToken === undefined ? undefined : sessionOf(ownToken);
}
