import { handleWithoutVisitor, type PageOptions, type SessionClient, type SessionHandle } from '../../client/index.ts';
import { personOf, sessionOf } from '../../protocol/index.ts';
import type { Beacon } from './beacon.ts';
import { BeaconLimit } from './beacon-limit.ts';
import { type Consent, consentOf } from './consent.ts';
import { isFirstCount } from './counted-requests.ts';
import { givenUser } from './given-user.ts';
import { checkHandleOptions, countsStatus, type HandleOptions } from './handle-options.ts';
import type { HandleRequest, HandleStore } from './handle-request.ts';
import { isKnownRobot } from './known-robots.ts';
import { warnOfLateUser } from './late-user.ts';
import { MergedVisitors } from './merged-visitors.ts';
import { bearerOf, isDocument, isFetchedAhead, mayBeginVisitor, type PageviewMode, pathOf } from './page-request.ts';
import { sessionOfToken, type TokenSession } from './session-of-token.ts';
import { isForSharedCaches } from './shared-caches.ts';
import { givenBoolean, givenGroups, givenMode, givenToken } from './site-answers.ts';
import { Visit } from './visit.ts';
import { VisitorCookies } from './visitor-cookie.ts';

/** Whom a request is asked as. */
interface Asking {
  /** Opens the handle. */
  open(options: PageOptions): SessionHandle;
  /** Returns the id for which a page counts whose answer has ended; undefined where it counts for nobody. */
  atEnd(): string | undefined;
  /** Notes that the session was given to a user within the request. Returns whether what was counted so far is theirs;
   *  undefined where the request goes on as before. */
  identify?(userId: string): boolean | undefined;
}

/** Marks on documents: the server has counted it, or it is not to be counted; or it is left to the script for pages. */
const MARK_SERVER = 'sessionwise;desc="server"';
const MARK_BROWSER = 'sessionwise;desc="browser"';

/** The visit of a request, which all middlewares of it share: else each would begin a visitor. */
const VISIT = Symbol('sessionwise visit');

/** Attaches handles to requests, keeps the cookies of their visitors and counts their page views: the middleware of an
 *  adapter, without the framework. */
export class HandleAttacher<Request extends object> {
  readonly #owner: string;
  readonly #options: HandleOptions<Request>;
  readonly #cookies: VisitorCookies;
  readonly #merged = new MergedVisitors();
  readonly #limit = new BeaconLimit();

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
   *  once; a promise only where the store is asked about a bearer token, within its deadline. `beacon`: the request is a
   *  message of the script for pages, whose view or minute counts in place of the request's.
   *  @throws errors of the functions in the options, and RangeError where they return what cannot be used. Nothing else
   *  fails. */
  attach(request: Request, page: HandleRequest<Request>, beacon?: Beacon): Promise<void> | undefined {
    const { client, token } = this.#options;
    page.attach(client ? client.withoutVisitor() : handleWithoutVisitor());
    const bearer = bearerOf(page);
    const given = token ? givenToken(this.#owner, token(request)) : bearer;
    if (given) return this.#attachToken(given, request, page, beacon);
    // A client with a token of its own is no browser, whether the site takes the token or not.
    if (!client || bearer !== undefined || !isCertain(page.ownStore, request)) return undefined;
    if (this.#options.bots !== 'count' && isKnownRobot(page.header('user-agent'))) {
      if (isFirstCount(client, request)) client.countRobot();
      return undefined;
    }
    this.#attachVisit(client, request, page, beacon);
    return undefined;
  }

  #attachToken(
    given: string,
    request: Request,
    page: HandleRequest<Request>,
    beacon: Beacon | undefined,
  ): Promise<void> | undefined {
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
      const open = (options: PageOptions): SessionHandle =>
        client.session(subject, { ...options, browser: found.session });
      this.#attach(client, request, page, { open, atEnd }, beacon);
    };
    const isChecked = token !== undefined;
    const found = sessionOfToken(given, { own: ownToken, isChecked, store: (store ?? ownStore)?.data });
    if (found instanceof Promise) return found.then(attach);
    attach(found);
    return undefined;
  }

  #attachVisit(
    client: SessionClient,
    request: Request,
    page: HandleRequest<Request>,
    beacon: Beacon | undefined,
  ): void {
    const visit = this.#visitOf(request, page, beacon);
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
    const atEnd = (): string | undefined => visit.subjectAtEnd;
    const identify = (userId: string): boolean | undefined => {
      // The site's function says who is there, and under which id, whomever the session is given to.
      const who = this.#options.user ? visit.userNow : userId;
      return who === undefined ? undefined : visit.identify(who);
    };
    this.#attach(client, request, page, { open, atEnd, identify }, beacon);
  }

  #visitOf(request: Request, page: HandleRequest<Request>, beacon: Beacon | undefined): Visit {
    const marked = request as { [VISIT]?: Visit };
    const before = marked[VISIT];
    if (before?.cookieName === this.#cookies.name) return before;
    const { user } = this.#options;
    const { ownStore } = page;
    const isPage = beacon ? beacon.command === 'pageview' : this.#isPageview(request, page);
    const visit = new Visit({
      cookies: this.#cookies,
      merged: this.#merged,
      consent: this.#consentOf(request, page),
      mayBegin: isPage || (!beacon && mayBeginVisitor(page)),
      isPage,
      isSecure: page.isSecure,
      cookieHeader: page.header('cookie'),
      user: user ? () => givenUser(this.#owner, request, user) : () => ownStore?.info(request)?.userId,
    });
    marked[VISIT] = visit;
    if (visit.hasCookie) {
      page.beforeHead(({ cacheControl }) => {
        const late = ownStore ? undefined : page.ownStore;
        if (visit.isUserLate || late?.info(request)?.userId !== undefined) warnOfLateUser(this.#owner);
        const line = visit.cookieLine(cacheControl);
        return line === undefined ? [] : [['Set-Cookie', line]];
      });
    }
    return visit;
  }

  #attach(
    client: SessionClient,
    request: Request,
    page: HandleRequest<Request>,
    asking: Asking,
    beacon: Beacon | undefined,
  ): void {
    const { countWhen = 'end' } = this.#options;
    let mode: PageviewMode = 'off';
    let counts = false;
    let handle: SessionHandle;
    let groups: readonly string[] | undefined;
    try {
      groups = this.#groupsOf(request);
      if (beacon) counts = this.#countsBeacon(request, beacon);
      else mode = this.#modeOf(request, page);
    } finally {
      // A page of the site that shows its own error has the handle too.
      const shown = beacon ? beacon.page : mode === 'off' ? undefined : page.url;
      const options = { page: shown, groups };
      handle = asking.open(options);
      page.attach(handle);
      page.ownStore?.whenIdentified(request, (userId) => {
        const isTheirs = asking.identify?.(userId);
        if (isTheirs === undefined) return;
        // What was counted at the start is the person's by the time of an answer.
        const isCounted = isTheirs && mode === 'server' && countWhen === 'start';
        const now = { ...options, groups: this.#groupsNow(request, groups) };
        page.attach(asking.open({ ...now, ...(isCounted && { countedBy: handle }) }));
      });
    }
    if (beacon) {
      if (counts) this.#countBeacon(client, page, asking, beacon);
      return;
    }
    const isLeft = this.#markDocument(request, page, mode, handle.id !== undefined);
    if (mode !== 'server' || !isFirstCount(client, request)) return;
    if (countWhen === 'start') void handle.publish('pageview', page.url);
    else this.#countAtEnd(client, page, asking, isLeft);
  }

  #countAtEnd(client: SessionClient, page: HandleRequest<Request>, asking: Asking, isLeft: () => boolean): void {
    const { countRedirects = true } = this.#options;
    const { url } = page;
    page.whenAnswered((statusCode) => {
      if (isLeft() || !countsStatus(statusCode, countRedirects)) return;
      const subject = asking.atEnd();
      if (subject !== undefined) void client.publish('pageview', subject, url);
    });
  }

  // Tells the script for pages which documents it has to count: what shared caches may keep is left to it, because the
  // server does not see who gets it. Returns whether the document is left, once the head was written.
  #markDocument(request: Request, page: HandleRequest<Request>, mode: PageviewMode, isKnown: boolean): () => boolean {
    if (!this.#options.script) return () => false;
    const isPage = this.#isPageview(request, page);
    const isAhead = !isPage && isFetchedAhead(page);
    if (!isPage && !isAhead) return () => false;
    let isLeft = false;
    // When it is shown, only the script is there to count it.
    const shownMode = isAhead ? this.#modeOfDocument(request, page) : mode;
    page.beforeHead(({ statusCode, cacheControl }) => {
      // Without a visitor nothing is decided: consent may come on the page.
      const isUndecided = isAhead || !isKnown || isForSharedCaches(cacheControl);
      isLeft = shownMode === 'browser' || (shownMode === 'server' && isUndecided);
      return [['Server-Timing', statusCode >= 400 || !isLeft ? MARK_SERVER : MARK_BROWSER]];
    });
    return () => isLeft;
  }

  #countsBeacon(request: Request, { page, isUnsure }: Beacon): boolean {
    // Then the server may have counted it, or decided that nothing does.
    if (isUnsure && this.#options.pageview !== 'browser') return false;
    return this.#isTracked(request, page);
  }

  #countBeacon(client: SessionClient, page: HandleRequest<Request>, asking: Asking, beacon: Beacon): void {
    page.whenAnswered(() => {
      const subject = asking.atEnd();
      if (subject === undefined || !this.#limit.take(subject)) return;
      const { command, page: path, once } = beacon;
      if (command === 'active') void client.publish('active', subject, '');
      else void client.publish('pageview', subject, { path, ...(once !== undefined && { once }) });
    });
  }

  #groupsOf(request: Request): readonly string[] | undefined {
    const { groups } = this.#options;
    return groups && givenGroups(this.#owner, groups(request));
  }

  // Behind a login. It is done, so the site's function cannot fail it.
  #groupsNow(request: Request, before: readonly string[] | undefined): readonly string[] | undefined {
    try {
      return this.#groupsOf(request);
    } catch {
      return before;
    }
  }

  #consentOf(request: Request, page: HandleRequest<Request>): Consent {
    return consentOf(this.#owner, request, (name) => page.header(name), this.#options.consent);
  }

  #modeOf(request: Request, page: HandleRequest<Request>): PageviewMode {
    return this.#isPageview(request, page) ? this.#modeOfDocument(request, page) : 'off';
  }

  #modeOfDocument(request: Request, page: HandleRequest<Request>): PageviewMode {
    const { pageview = 'server', script } = this.#options;
    if (!this.#isTracked(request, pathOf(page.url))) return 'off';
    if (typeof pageview !== 'function') return pageview;
    return givenMode(this.#owner, pageview(request), script !== undefined);
  }

  #isTracked(request: Request, path: string): boolean {
    const { track } = this.#options;
    return !track || givenBoolean(this.#owner, 'track', track(request, path));
  }

  #isPageview(request: Request, page: HandleRequest<Request>): boolean {
    const { isPageview } = this.#options;
    return isPageview ? givenBoolean(this.#owner, 'isPageview', isPageview(request)) : isDocument(page);
  }
}

/** Whether it is known if somebody is logged in. Within a grace the previous secret reads the data of before, and nothing
 *  else; the secret of a degraded session was not checked: of neither it is known. */
export function isCertain<Request>(store: HandleStore<Request> | undefined, request: Request): boolean {
  return !store || !(store.info(request)?.byPreviousSecret || store.isDegraded(request));
}

// The request has another session after `regenerate`, and none after `destroy`.
function sessionAtEnd<Request>({ ownToken }: HandleRequest<Request>): string | undefined {
  return ownToken === undefined ? undefined : sessionOf(ownToken);
}
