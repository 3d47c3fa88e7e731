import type { SessionStore as LibraryStore } from '@fastify/session';
import type { FastifyReply, FastifyRequest, Session } from 'fastify';
import { callbackify, giveResult } from '../../async/index.ts';
import {
  type CurrentSession,
  createToken,
  RequestStore,
  type SessionOperations,
  type SessionStoreOptions,
  sessionMethods,
} from '../index.ts';
import {
  askForCookie,
  isLibrarySession,
  LIBRARY_NAMES,
  type LibraryRequest,
  type LibrarySession,
  requestOf,
  tokenSetterOf,
  watchRegenerate,
} from './library-session.ts';
import { markOrigin, ORIGIN_FIELD, takeOrigin } from './origin-marker.ts';
import { allowCookie, type CookieReply, suppressCookie } from './suppress-cookie.ts';
import { WatchedRequests } from './watched-requests.ts';

// The site declares its fields in the same interface: `interface Session { cart?: string[] }`.
declare module 'fastify' {
  interface Session extends SessionOperations<Session> {}
}

type Callback<Result> = (error: unknown, result?: Result) => void;

/** A store for @fastify/session 11: `app.register(fastifySession, { store: new SessionStore({ redis }), ... })`. Usable
 *  at once: operations before the connection stands wait for it within the deadline. Every method of the store's
 *  contract takes a callback or returns a promise.
 *
 *  Register the plugin `sessionwise` behind @fastify/session: it suppresses cookies that must not be sent, and `rotate`
 *  needs it. */
export class SessionStore extends RequestStore<FastifyRequest> implements LibraryStore {
  readonly #requests = new WatchedRequests((request, session) => this.#receive(request, session));
  readonly #firstSaves = new WeakMap<object, Promise<void>>();
  /** Prototype of the sessions of watched requests: the library's, and the operations as methods. */
  #prototype: object | undefined;
  /** The error of a session that could not be ended, while the library's callback runs. */
  #endError: unknown;
  /** Set while the library ends a session to begin another in its place. */
  #isRegenerating = false;

  /** Begins to connect and returns; never throws because Redis is away.
   *  @throws RangeError or ConnectionOptionsError for a value that cannot be used. */
  constructor(options: SessionStoreOptions) {
    super(options, (name) => LIBRARY_NAMES.has(name) || name === ORIGIN_FIELD);
  }

  /** Reads a session by its token; null where there is none, and for a public id: that is no credential. */
  get(token: string): Promise<Session | null>;
  get(token: string, callback: Callback<Session | null>): void;
  get(token: string, callback?: Callback<Session | null>): Promise<Session | null> | undefined {
    if (!callback) return this.sessions.get(token).then((values) => this.#found(token, values, false));
    // The library asks by callback, for the session of a request.
    this.sessions.getThen(token, (error, values) => {
      if (error) callback(error);
      else giveResult(callback, () => this.#found(token, values, true));
    });
    return undefined;
  }

  /** Saves the changes since the session was loaded; without changes it renews the session, which mostly sends
   *  nothing. A session that has ended meanwhile stays ended. */
  set(token: string, session: Session): Promise<void>;
  set(token: string, session: Session, callback: Callback<void>): void;
  set(token: string, session: Session, callback?: Callback<void>): Promise<void> | undefined {
    if (this.#endError !== undefined && this.#requests.refuse(session))
      return callbackify(Promise.reject(this.#endError), callback);
    return callbackify(this.#set(token, session), callback);
  }

  /** Ends a session, for good: by its token; or, for your own code, by its public id. But not one that could not be read
   *  a moment ago: no request has seen it. Where it fails within `session.regenerate()`, the request keeps its session. A
   *  token that was replaced ends nothing, and for `graceMs` that is said: SessionGoneError; `regenerate()` goes on. */
  destroy(id: string): Promise<void>;
  destroy(id: string, callback: Callback<void>): void;
  destroy(id: string, callback?: Callback<void>): Promise<void> | undefined {
    const reporting: Callback<void> | undefined =
      callback &&
      ((error) => {
        // Notes the error for `set`: after a failed end `regenerate` still makes a new session, within this call.
        this.#endError = error ?? undefined;
        try {
          callback(error);
        } finally {
          this.#endError = undefined;
        }
      });
    return callbackify(this.#isRegenerating ? this.sessions.endForAnother(id) : this.sessions.end(id), reporting);
  }

  /** Looks after the sessions of a request: links them to the values they were loaded from, and suppresses cookies that
   *  must not be sent. The plugin calls it. */
  attach(request: FastifyRequest, reply: FastifyReply): void {
    this.#requests.watch(request, reply as unknown as CookieReply);
  }

  /** Renews an anonymous session after its second request: without `rolling` the library saves no unchanged session.
   *  Never fails. The plugin calls it. */
  renewAnonymous(request: FastifyRequest): void {
    const { session } = request as LibraryRequest;
    if (!session || !isLibrarySession(session)) return;
    this.sessions.renewAnonymous(session.sessionId, session).catch(() => undefined);
  }

  protected override currentSession(request: FastifyRequest): CurrentSession | undefined {
    const { session } = request as LibraryRequest;
    if (!session || !isLibrarySession(session)) return undefined;
    this.#adopt(session);
    return { token: session.sessionId, values: session };
  }

  protected override noSessionMessage(): string {
    return 'This request has no session: register @fastify/session before.';
  }

  protected override userAgentOf({ headers }: FastifyRequest): string | undefined {
    return headers['user-agent'];
  }

  protected override startRotation(request: FastifyRequest, { values }: CurrentSession): (token: string) => void {
    const reply = this.#requests.replyTo(request);
    if (!reply) {
      throw new TypeError('rotate() needs the plugin: app.register(sessionwise, ...) behind @fastify/session.');
    }
    if (reply.raw?.headersSent) {
      throw new TypeError('rotate() changed nothing: the headers are sent, and the cookie with them. Call it before.');
    }
    const session = values as LibrarySession;
    const setToken = tokenSetterOf(session);
    return (token) => {
      allowCookie(reply, session);
      setToken(token);
    };
  }

  // The session is saved, or was loaded, before it is changed in Redis.
  protected override async prepareChange(_request: FastifyRequest, { token, values }: CurrentSession): Promise<void> {
    if (this.#isKnown(values)) return;
    this.sessions.states.need(values);
    await this.#set(token, values);
    askForCookie(values as LibrarySession);
  }

  // Without `rolling` the library sends no cookie for a session in which it sees nothing: after `regenerate` the browser
  // would keep that of the session before, and nobody would be logged in.
  protected override startIdentify(request: FastifyRequest, { values }: CurrentSession): () => void {
    const reply = this.#requests.replyTo(request);
    const isStandIn = this.sessions.states.isStandIn(values);
    return () => {
      if (reply && isStandIn) allowCookie(reply, values as LibrarySession);
      askForCookie(values as LibrarySession);
    };
  }

  // `isLibrary`: it is for the session of a request.
  #found(token: string, found: object | undefined, isLibrary: boolean): Session | null {
    const values = found as { cookie?: { expires?: string | null } } | undefined;
    if (!values) return isLibrary && this.sessions.states.isReplaced(token) ? this.#standIn() : null;
    const { cookie } = values;
    const loaded = this.sessions.states.loadedOf(values);
    // The library ends a session whose cookie has expired by this process's clock. Redis's clock says that it lives.
    if (loaded && cookie?.expires && Date.parse(cookie.expires) <= Date.now()) {
      const { session, expiresAt } = this.data.infoOf(loaded);
      const leftMs = Math.max(1_000, expiresAt - this.data.now(session));
      cookie.expires = new Date(Date.now() + leftMs).toISOString();
    }
    markOrigin(values);
    return values as unknown as Session;
  }

  // A session that is new to the library would be saved, or the cookie of another session be cleared for it.
  #standIn(): Session {
    const values = {};
    this.sessions.states.standIn(values);
    markOrigin(values);
    return values as Session;
  }

  async #set(token: string, session: object): Promise<void> {
    if (!isLibrarySession(session)) return this.sessions.set(token, session);
    this.#adopt(session);
    await this.#firstSaves.get(session);
    const request = requestOf(session);
    const reply = this.#requests.replyTo(request);
    if (this.sessions.states.isUnneeded(session)) {
      if (request && reply) suppressCookie(request, reply, session);
      return;
    }
    if (!this.#isKnown(session)) {
      // An earlier save of the same request may have been skipped, and its cookie suppressed.
      if (reply) allowCookie(reply, session);
      return this.#saveFirst(token, session);
    }
    // Which secret is the current one may have changed while this request was at work.
    const asks = reply !== undefined && !this.sessions.states.suppressesCookie(session);
    const [isCurrent] = await Promise.all([
      asks && this.sessions.isCurrent(token),
      this.sessions.setOrTouch(token, session),
    ]);
    if (request && reply && !isCurrent) suppressCookie(request, reply, session);
    this.#shorten(session);
  }

  // One at a time: the second finds what the first has saved.
  #saveFirst(token: string, session: LibrarySession): Promise<void> {
    const saving = this.#begin(token, session).finally(() => this.#firstSaves.delete(session));
    this.#firstSaves.set(
      session,
      saving.catch(() => undefined),
    );
    return saving;
  }

  // Such a session is a new one, or what the library makes after a `reload` that failed: empty, under the same token.
  // Saved as a new one, that would replace the data of the one that lives.
  async #begin(token: string, session: LibrarySession): Promise<void> {
    this.sessions.states.checkFields(session);
    const living = await this.sessions.get(token);
    if (!living) {
      this.sessions.states.begin(session);
      // Without the plugin it is not renewed at its second request.
      if (!this.#requests.replyTo(requestOf(session))) this.sessions.states.need(session);
      await this.sessions.set(token, session);
      this.#shorten(session);
      return;
    }
    if (this.sessions.states.isDegraded(living)) return;
    this.sessions.states.degrade(session);
    const request = requestOf(session);
    const reply = this.#requests.replyTo(request);
    if (request && reply) suppressCookie(request, reply, session);
  }

  // No cookie outlives what the session may.
  #shorten(session: LibrarySession): void {
    const { cookie } = session;
    const last = this.sessions.lastMoment(session);
    if (last !== undefined && cookie.expires instanceof Date && cookie.expires.getTime() > last) {
      cookie.expires = new Date(last);
    }
  }

  #isKnown(session: object): boolean {
    const { states } = this.sessions;
    return states.loadedOf(session) !== undefined || states.isDegraded(session) || states.isStandIn(session);
  }

  #receive(request: LibraryRequest, session: object): void {
    // The token that the request came with: a stand-in gets another one.
    if (isLibrarySession(session)) this.sessions.states.carry(session.sessionId);
    this.#adopt(session);
    if (!isLibrarySession(session)) return;
    this.#addMethods(session);
    watchRegenerate(session, (isRegenerating) => {
      this.#isRegenerating = isRegenerating;
    });
    const reply = this.#requests.replyTo(request);
    if (reply && this.sessions.states.suppressesCookie(session)) suppressCookie(request, reply, session);
  }

  // Adds the methods on a prototype between the library's and the session, so that a stored field of the same name is
  // not affected.
  #addMethods(session: LibrarySession): void {
    const prototype = Object.getPrototypeOf(session) as object;
    if (prototype === this.#prototype) return;
    if (!this.#prototype || Object.getPrototypeOf(this.#prototype) !== prototype) {
      const methods = sessionMethods<FastifyRequest>(this, (own) => requestOf(own) as FastifyRequest);
      this.#prototype = Object.create(prototype, methods) as object;
    }
    Object.setPrototypeOf(session, this.#prototype);
  }

  #adopt(session: object): void {
    const values = takeOrigin(session);
    if (!values) return;
    this.sessions.handOver(values, session);
    // The replaced token names the session of another secret now.
    if (!this.sessions.states.isStandIn(session) || !isLibrarySession(session)) return;
    const token = createToken();
    tokenSetterOf(session)(token);
    this.sessions.states.standIn(session, token);
  }
}
