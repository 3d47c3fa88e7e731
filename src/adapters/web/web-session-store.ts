import { StoreUnavailableError } from '../../sessions/index.ts';
import type { CurrentSession } from '../current-session.ts';
import type { HeaderLine } from '../http/add-headers-at-head.ts';
import { isForSharedCaches } from '../http/shared-caches.ts';
import { RequestStore, sessionMethods } from '../session-operations.ts';
import type { SessionStoreOptions } from '../session-store-options.ts';
import type { SessionCookie } from './session-cookie.ts';
import type { WebExchange } from './web-exchange.ts';
import type { SessionLifecycle } from './web-session.ts';

/* web-session-store.ts: sessions over a cookie, for frameworks without sessions of their own. The cookie has the token; an
 * empty session is neither saved nor given a cookie. Whether a cookie is set is decided when the head of the answer is
 * written, by what is in Redis then: a session whose save has failed gets none, and one that was rotated keeps its new
 * token although the handler or the save behind it failed. */

/** The session of one request, as it goes on. */
interface Visit {
  readonly exchange: WebExchange;
  readonly cookie: SessionCookie;
  /** Token that the browser sent. */
  readonly cookieToken: string | undefined;
  token: string;
  /** Undefined once the session has ended. */
  values: object | undefined;
  /** Whether Redis has confirmed that the cookie of the browser may be set again. */
  isConfirmed: boolean;
}

/** The store of sessions of frameworks without sessions of their own. `Request`: the object that the framework has for each
 *  request. */
export class WebSessionStore<Request extends object> extends RequestStore<Request> {
  readonly #visits = new WeakMap<Request, Visit>();
  readonly #requests = new WeakMap<object, Request>();
  readonly #prototype: object;

  /** Begins to connect and returns; never throws because Redis is away.
   *  @throws RangeError or ConnectionOptionsError for a value that cannot be used. */
  constructor(options: SessionStoreOptions) {
    super(options);
    const requestOf = (session: object): Request => this.#requests.get(session)!;
    this.#prototype = Object.create(Object.prototype, {
      ...sessionMethods<Request>(this, requestOf),
      ...lifecycleMethods(this, requestOf),
    });
  }

  /** Opens the session of a request, before its handler: reads it, or begins an empty one. Once for a request.
   *  @throws StoreUnavailableError in a store that fails closed; SessionDataError. */
  async open(request: Request, exchange: WebExchange, cookie: SessionCookie): Promise<void> {
    if (this.#visits.has(request)) return;
    const { states } = this.sessions;
    const cookieToken = cookie.read(exchange.header('cookie'));
    states.carry(cookieToken);
    const values = cookieToken === undefined ? undefined : await this.sessions.get(cookieToken);
    const visit: Visit = { exchange, cookie, cookieToken, token: cookieToken ?? '', values, isConfirmed: false };
    this.#visits.set(request, visit);
    if (values) this.#use(request, visit, cookieToken!, values);
    else this.#begin(request, visit, states.isReplaced(cookieToken));
    exchange.beforeHead(({ cacheControl }) => this.#cookieLines(visit, cacheControl));
  }

  /** Whether the session of a request was opened here. */
  hasOpened(request: Request): boolean {
    return this.#visits.has(request);
  }

  /** The token of the session that a request has now; undefined where it has none. */
  tokenOf(request: Request): string | undefined {
    return this.currentSession(request)?.token;
  }

  /** Reads the values of a session by its token, for code that is no request. Undefined where there is none.
   *  @throws StoreUnavailableError, SessionDataError */
  get(token: string): Promise<object | undefined> {
    return this.sessions.get(token);
  }

  /** Saves the session of a request: at its end, before the head of the answer is written, after an error of the handler too.
   *  @throws StoreUnavailableError in a store that fails closed; NotSerialisableError, where the field is put back so that a
   *  second call saves the rest. */
  async save(request: Request): Promise<void> {
    const visit = this.#visits.get(request);
    if (!visit?.values) return;
    const { states } = this.sessions;
    const { values, token, cookie, exchange } = visit;
    if (states.loadedOf(values) || holdsFields(values)) await this.sessions.setOrTouch(token, values);
    if (!cookie.isRolling || exchange.isHeadSent || visit.token !== visit.cookieToken) return;
    // Another process may have rotated since.
    visit.isConfirmed = await this.sessions.isCurrent(visit.token);
  }

  /** Ends the session of a request, and begins another one.
   *  @throws StoreUnavailableError; TypeError where the head of the answer was written, or there is no session. */
  async regenerate(request: Request): Promise<void> {
    const visit = this.#required(request);
    refuseBehindHead(visit, 'regenerate');
    this.#refuseDegraded(request);
    await this.sessions.endForAnother(visit.token);
    this.#begin(request, visit, false);
  }

  /** Ends the session of a request for good.
   *  @throws StoreUnavailableError; SessionGoneError where the token was replaced. */
  async destroy(request: Request): Promise<void> {
    const visit = this.#required(request);
    this.#refuseDegraded(request);
    await this.sessions.end(visit.token);
    visit.values = undefined;
    visit.exchange.attachSession(undefined);
  }

  protected override currentSession(request: Request): CurrentSession | undefined {
    const visit = this.#visits.get(request);
    return visit?.values && { token: visit.token, values: visit.values };
  }

  protected override userAgentOf(request: Request): string | undefined {
    return this.#visits.get(request)?.exchange.header('user-agent');
  }

  protected override startRotation(request: Request): (token: string) => void {
    const visit = this.#required(request);
    refuseBehindHead(visit, 'rotate');
    return (token) => {
      visit.token = token;
    };
  }

  protected override noSessionMessage(): string {
    return 'This request has no session: it was ended, or sw.session was not mounted before.';
  }

  #required(request: Request): Visit {
    const visit = this.#visits.get(request);
    if (!visit?.values) throw new TypeError(this.noSessionMessage());
    return visit;
  }

  #begin(request: Request, visit: Visit, isReplaced: boolean): void {
    const { states } = this.sessions;
    const token = this.genid();
    const values = {};
    states.begin(values);
    states.carry(token);
    // The browser has a newer cookie, or is about to: this request must not take its place.
    if (isReplaced) states.standIn(values, token);
    this.#use(request, visit, token, values);
  }

  #use(request: Request, visit: Visit, token: string, values: object): void {
    const { maxAgeMs } = visit.cookie;
    if (maxAgeMs !== undefined) {
      const expires = new Date(Date.now() + maxAgeMs);
      (values as { cookie?: object }).cookie = { originalMaxAge: maxAgeMs, expires };
    }
    this.#requests.set(values, request);
    visit.token = token;
    visit.values = Object.setPrototypeOf(values, this.#prototype) as object;
    visit.exchange.attachSession(visit.values);
  }

  // An empty session in the place of one that was not read: that one lives, perhaps.
  #refuseDegraded(request: Request): void {
    if (this.isDegraded(request)) {
      throw new StoreUnavailableError('The session could not be read, so it was not ended.');
    }
  }

  #cookieLines(
    { values, token, cookie, cookieToken, exchange, isConfirmed }: Visit,
    cacheControl: string | undefined,
  ): HeaderLine[] {
    const { isSecure } = exchange;
    if (!values) return cookieToken === undefined ? [] : [['Set-Cookie', cookie.removal(isSecure)]];
    const { states } = this.sessions;
    if (!states.loadedOf(values) || states.suppressesCookie(values)) return [];
    // A cache that keeps the answer would give this login to everybody. The next answer renews the cookie as well.
    if (token === cookieToken && (!isConfirmed || isForSharedCaches(cacheControl))) return [];
    const { maxAgeMs } = cookie;
    const last = this.sessions.lastMoment(values) ?? Number.POSITIVE_INFINITY;
    const endsAt = maxAgeMs === undefined ? undefined : Math.min(Date.now() + maxAgeMs, last);
    return [['Set-Cookie', cookie.line(token, isSecure, endsAt)]];
  }
}

function refuseBehindHead({ exchange }: Visit, verb: string): void {
  if (!exchange.isHeadSent) return;
  throw new TypeError(`${verb}() changed nothing: the headers are sent, and the cookie with them. Call it before.`);
}

function holdsFields(values: object): boolean {
  return Object.keys(values).some((name) => name !== 'cookie');
}

function lifecycleMethods<Request extends object>(
  store: WebSessionStore<Request>,
  requestOf: (session: object) => Request,
): PropertyDescriptorMap {
  const verbs: readonly (keyof SessionLifecycle)[] = ['save', 'regenerate', 'destroy'];
  const method = (verb: keyof SessionLifecycle): PropertyDescriptor => ({
    value(this: object): Promise<void> {
      return store[verb](requestOf(this));
    },
    configurable: true,
    writable: true,
  });
  return Object.fromEntries(verbs.map((verb) => [verb, method(verb)]));
}
