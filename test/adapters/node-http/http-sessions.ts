import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  addHeadersAtHead,
  type CurrentSession,
  HandleAttacher,
  type HandleOptions,
  RequestStore,
  type SessionHandle,
  type SessionOperations,
  type SessionStoreOptions,
  StoreUnavailableError,
  sessionMethods,
  whenAnswered,
} from '../../../src/adapters/index.ts';

/* http-sessions.ts: sessions for plain `node:http`, an adapter in one file. */

/** The session of a request: your fields, and the operations. */
export type HttpSession = Record<string, unknown> & SessionOperations;

/** A request whose session was opened. */
export interface HttpRequest extends IncomingMessage {
  /** Undefined after `destroy`. */
  session?: HttpSession;
  sessionToken?: string;
  sessionwise?: SessionHandle;
}

export interface HttpSessionsOptions extends SessionStoreOptions {
  /** `client`, and how page views are counted. Default: no handles. */
  readonly handle?: HandleOptions<HttpRequest>;
  /** Name of the cookie. Default `sid`. */
  readonly cookieName?: string;
}

interface Visit {
  readonly response: ServerResponse;
  /** Token of the cookie that the browser has, or gets with this response. */
  cookieToken: string | undefined;
}

export class HttpSessions extends RequestStore<HttpRequest> {
  readonly #cookieName: string;
  readonly #attacher: HandleAttacher<HttpRequest>;
  readonly #prototype: object = Object.create(
    Object.prototype,
    sessionMethods<HttpRequest>(this, (session) => this.#requests.get(session)!),
  );
  readonly #requests = new WeakMap<object, HttpRequest>();
  readonly #visits = new WeakMap<HttpRequest, Visit>();

  constructor({ cookieName = 'sid', handle = {}, ...options }: HttpSessionsOptions) {
    // First, because it may throw: the store is connected by then.
    const attacher = new HandleAttacher('HttpSessions', handle);
    super(options);
    this.#cookieName = cookieName;
    this.#attacher = attacher;
  }

  /** Opens the session of a request. Call it before the handler. */
  async open(request: HttpRequest, response: ServerResponse): Promise<void> {
    const { states } = this.sessions;
    const cookieToken = this.#cookieOf(request);
    this.#visits.set(request, { response, cookieToken });
    states.carry(cookieToken);
    const values = cookieToken === undefined ? undefined : await this.sessions.get(cookieToken);
    if (values) this.#use(request, cookieToken!, values);
    else this.#begin(request, states.isReplaced(cookieToken));
    await this.#attacher.attach(request, {
      method: request.method,
      url: request.url ?? '/',
      header: (name) => [request.headers[name]].flat()[0],
      get ownToken() {
        return request.session && request.sessionToken;
      },
      ownStore: this,
      isSecure: 'encrypted' in request.socket,
      attach(handle) {
        request.sessionwise = handle;
      },
      beforeHead(linesFor) {
        addHeadersAtHead(response, linesFor);
      },
      whenAnswered(listener) {
        whenAnswered(response, listener);
      },
    });
  }

  /** Saves the session and sets its cookie. Call it before the headers are sent, after an error of the handler too. */
  async save(request: HttpRequest): Promise<void> {
    const current = this.currentSession(request);
    const visit = this.#visits.get(request);
    if (!current || !visit) return;
    const { states } = this.sessions;
    const isKept = states.loadedOf(current.values) || Object.keys(current.values).length > 0;
    if (isKept) await this.sessions.setOrTouch(current.token, current.values);
    if (!isKept || current.token === visit.cookieToken || states.suppressesCookie(current.values)) return;
    visit.cookieToken = current.token;
    this.#setCookie(visit.response, current.token);
  }

  /** Ends the session, and begins another one under another token. */
  async regenerate(request: HttpRequest): Promise<void> {
    this.#refuseDegraded(request);
    await this.sessions.endForAnother(request.sessionToken ?? '');
    this.#begin(request, false);
  }

  /** Ends the session for good, and removes the cookie. */
  async destroy(request: HttpRequest): Promise<void> {
    this.#refuseDegraded(request);
    const { cookieToken, response } = this.#visits.get(request)!;
    await this.sessions.end(request.sessionToken ?? '');
    delete request.session;
    if (cookieToken !== undefined) this.#setCookie(response, '', '; Max-Age=0');
  }

  protected override currentSession({ session, sessionToken }: HttpRequest): CurrentSession | undefined {
    return session && sessionToken !== undefined ? { token: sessionToken, values: session } : undefined;
  }

  protected override userAgentOf({ headers }: HttpRequest): string | undefined {
    return headers['user-agent'];
  }

  protected override startRotation(request: HttpRequest): (token: string) => void {
    if (this.#visits.get(request)?.response.headersSent) throw new TypeError('rotate() comes before the headers.');
    return (token) => {
      request.sessionToken = token;
    };
  }

  #begin(request: HttpRequest, isReplaced: boolean): void {
    const token = this.genid();
    const values = {};
    this.sessions.states.begin(values);
    this.sessions.states.carry(token);
    // The browser has a newer cookie, or is about to: this request must not take its place.
    if (isReplaced) this.sessions.states.standIn(values, token);
    this.#use(request, token, values);
  }

  #use(request: HttpRequest, token: string, values: object): void {
    this.#requests.set(values, request);
    request.session = Object.setPrototypeOf(values, this.#prototype) as HttpSession;
    request.sessionToken = token;
  }

  // An empty session in the place of one that was not read: that one lives, perhaps.
  #refuseDegraded(request: HttpRequest): void {
    if (this.isDegraded(request)) throw new StoreUnavailableError('The session could not be read.');
  }

  #cookieOf({ headers }: HttpRequest): string | undefined {
    const cookie = headers.cookie?.split(/; */).find((pair) => pair.startsWith(`${this.#cookieName}=`));
    return cookie?.slice(this.#cookieName.length + 1) || undefined;
  }

  #setCookie(response: ServerResponse, token: string, more = ''): void {
    const others = [response.getHeader('Set-Cookie') ?? []].flat().map(String);
    response.setHeader('Set-Cookie', [
      ...others.filter((cookie) => !cookie.startsWith(`${this.#cookieName}=`)),
      `${this.#cookieName}=${token}; Path=/; HttpOnly; Secure; SameSite=Lax${more}`,
    ]);
  }
}
