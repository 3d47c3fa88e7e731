import { EventEmitter } from 'node:events';
import type fastifySession from '@fastify/session';
import type { FastifyReply, FastifyRequest, Session } from 'fastify';
import { settle } from '../../async/callbackify.ts';
import { createToken } from '../../protocol/index.ts';
import {
  NotSerialisableError,
  type SessionData,
  type SessionInfo,
  type SetIfOutcome,
  StoreUnavailableError,
} from '../../sessions/index.ts';
import { deviceLabel } from '../http/device-label.ts';
import { type CurrentSession, RequestSessions, type SessionStoreEvents, type SessionStoreOptions } from '../index.ts';
import {
  askForCookie,
  isLibrarySession,
  LIBRARY_NAMES,
  type LibraryRequest,
  type LibrarySession,
  requestOf,
  tellRegenerate,
  tokenSetterOf,
} from './library-session.ts';
import { markOrigin, ORIGIN_FIELD, takeOrigin } from './origin-marker.ts';
import { allowCookie, type CookieReply, suppressCookie } from './suppress-cookie.ts';
import { WatchedRequests } from './watched-requests.ts';

type Callback<Result> = (error: unknown, result?: Result) => void;

/** A store for @fastify/session 11: `app.register(fastifySession, { store: new SessionStore({ redis }), ... })`. Usable
 *  at once: what is asked before the connection stands waits for it within the deadline. Every method of the store's
 *  contract takes a callback or returns a promise.
 *
 *  Register the plugin `sessionwise` behind @fastify/session: it suppresses cookies that must not be sent, and `rotate`
 *  needs it. */
export class SessionStore extends EventEmitter<SessionStoreEvents> implements fastifySession.SessionStore {
  /** The store beneath: by token or session, for code that is no request (jobs, webhooks, scripts). */
  readonly data: SessionData;
  /** Makes tokens of our own form, for the option `idGenerator`. */
  readonly genid: () => string = () => createToken();
  readonly #sessions: RequestSessions;
  readonly #requests = new WatchedRequests((request, session) => this.#receive(request, session));
  /** Sessions that a failed `reload` has left under the token of one that lives: their saves write nothing. */
  readonly #empty = new WeakSet<object>();
  readonly #firstSaves = new WeakMap<object, Promise<void>>();
  /** Set while the library is told that a session could not be ended. */
  #endError: unknown;
  /** Set while the library ends a session to begin another in its place. */
  #isRegenerating = false;

  /** Begins to connect and returns; never throws because Redis is away.
   *  @throws RangeError or ConnectionOptionsError for a value that cannot be used. */
  constructor(options: SessionStoreOptions) {
    super();
    this.#sessions = new RequestSessions(options, (name) => LIBRARY_NAMES.has(name) || name === ORIGIN_FIELD);
    this.data = this.#sessions.data;
    for (const event of ['store:down', 'store:up', 'degraded'] as const) {
      this.#sessions.on(event, (...args: unknown[]) => this.emit(event, ...(args as never)));
    }
  }

  /** Reads a session by its token; null where there is none, and for a public id: that is no credential. */
  get(token: string): Promise<Session | null>;
  get(token: string, callback: Callback<Session | null>): void;
  get(token: string, callback?: Callback<Session | null>): Promise<Session | null> | undefined {
    return settle(this.#get(token, callback !== undefined), callback);
  }

  /** Saves what was changed since the session was loaded; where that is nothing, it renews the session, which mostly
   *  sends nothing. A session that has ended meanwhile stays ended. */
  set(token: string, session: Session): Promise<void>;
  set(token: string, session: Session, callback: Callback<void>): void;
  set(token: string, session: Session, callback?: Callback<void>): Promise<void> | undefined {
    if (this.#endError !== undefined && this.#requests.refuse(session))
      return settle(Promise.reject(this.#endError), callback);
    return settle(this.#set(token, session), callback);
  }

  /** Ends a session, for good: by its token; or, for your own code, by its public id. But not one that could not be read
   *  a moment ago: nobody has seen it. Where it fails within `session.regenerate()`, the request keeps its session. A
   *  token that was replaced ends nothing, and for `graceMs` that is said: SessionGoneError; `regenerate()` goes on. */
  destroy(id: string): Promise<void>;
  destroy(id: string, callback: Callback<void>): void;
  destroy(id: string, callback?: Callback<void>): Promise<void> | undefined {
    const told: Callback<void> | undefined =
      callback &&
      ((error) => {
        // Of a failed end, `regenerate` makes a new session all the same: at once, within this call.
        this.#endError = error ?? undefined;
        try {
          callback(error);
        } finally {
          this.#endError = undefined;
        }
      });
    return settle(this.#isRegenerating ? this.#sessions.endForAnother(id) : this.#sessions.end(id), told);
  }

  /** Looks after the sessions of a request: what they were loaded as is remembered and hidden, and cookies that must
   *  not be sent are suppressed. The plugin calls it. */
  attach(request: FastifyRequest, reply: FastifyReply): void {
    this.#requests.watch(request, reply as unknown as CookieReply);
  }

  /** Says that a request acts for another session, by its bearer token: where its own is a new one, that is not saved and
   *  no cookie is sent for it, unless the application puts something in. The plugin calls it. */
  leaveUnsaved(request: FastifyRequest): void {
    const { session } = request as LibraryRequest;
    if (session && isLibrarySession(session) && !this.#isKnown(session)) this.#sessions.leaveUnsaved(session);
  }

  /** Renews an anonymous session after its second request: without `rolling` the library does not save what is unchanged.
   *  Never fails. The plugin calls it. */
  renewAnonymous(request: FastifyRequest): void {
    const { session } = request as LibraryRequest;
    if (!session || !isLibrarySession(session)) return;
    this.#sessions.renewAnonymous(session.sessionId, session).catch(() => undefined);
  }

  /** Gives the request's session another secret: same session, same data, nothing calculated is lost. Call it at login
   *  and when rights change, before `identify`: the previous secret opens nothing from then on, and requests that are
   *  still on their way with it see no session and get no cookie. With `grace`, for rotations that go with no change of
   *  rights, they read for `graceMs` what was there before, and can change nothing. `request.session` stays the same
   *  object.
   *  @throws StoreUnavailableError; SessionGoneError, also where another request has rotated since this one began;
   *  TypeError where the plugin is missing, @fastify/session keeps tokens in a way that is not known, or the headers are
   *  sent: the new token would reach nobody. */
  async rotate(request: FastifyRequest, options: { readonly grace?: boolean } = {}): Promise<void> {
    const current = currentSession(request);
    const reply = this.#requests.replyTo(request);
    if (!reply) {
      throw new TypeError('rotate() needs the plugin: app.register(sessionwise, ...) behind @fastify/session.');
    }
    if (reply.raw?.headersSent) {
      throw new TypeError('rotate() changed nothing: the headers are sent, and the cookie with them. Call it before.');
    }
    const setToken = tokenSetterOf(current.values);
    await this.#sessions.rotate(await this.#known(current), options, (token) => {
      allowCookie(reply, current.values);
      setToken(token);
    });
  }

  /** Says whose the request's session is, and lists it among that user's. `device` is what the list calls it; by default
   *  it is read from the User-Agent header. Returns the sessions that had to end for it.
   *  @throws StoreUnavailableError, SessionGoneError, SessionLimitError */
  async identify(
    request: FastifyRequest,
    userId: string,
    options: { readonly device?: string } = {},
  ): Promise<string[]> {
    const device = options.device ?? deviceLabel(request.headers['user-agent']);
    const current = await this.#known(currentSession(request));
    const isStandIn = this.#sessions.isStandIn(current.values);
    const ended = await this.#sessions.identify(current, userId, device);
    const reply = this.#requests.replyTo(request);
    if (isStandIn && reply) allowCookie(reply, current.values as LibrarySession);
    return ended;
  }

  /** What is known of the request's session beside its data; undefined where it was never saved. */
  info(request: FastifyRequest): SessionInfo | undefined {
    const { session } = request as LibraryRequest;
    if (!session) return undefined;
    this.#adopt(session);
    return this.#sessions.infoOf(session);
  }

  /** Whether the request's session stands in for one that could not be read (`fail: 'open'`). */
  isDegraded(request: FastifyRequest): boolean {
    const { session } = request as LibraryRequest;
    if (!session) return false;
    this.#adopt(session);
    return this.#empty.has(session) || this.#sessions.isDegraded(session);
  }

  /** Adds to a number of the request's session in one step; see `SessionData.increment`. */
  async increment(request: FastifyRequest, field: string, by = 1): Promise<number> {
    return this.#sessions.increment(await this.#known(currentSession(request)), field, by);
  }

  /** Appends to a list of the request's session in one step; see `SessionData.append`. */
  async append(request: FastifyRequest, field: string, ...values: unknown[]): Promise<unknown[]> {
    return this.#sessions.append(await this.#known(currentSession(request)), field, values);
  }

  /** Sets fields of the request's session if nobody changed it since it had `version`; see `SessionData.setIf`. */
  async setIf(
    request: FastifyRequest,
    version: number,
    values: Readonly<Record<string, unknown>>,
  ): Promise<SetIfOutcome> {
    return this.#sessions.setIf(await this.#known(currentSession(request)), version, values);
  }

  /** Ends the connection. Operations that wait are refused. */
  async close(): Promise<void> {
    await this.#sessions.close();
    this.removeAllListeners();
  }

  // `isLibrary`: it asks by callback, for the session of a request.
  async #get(token: string, isLibrary: boolean): Promise<Session | null> {
    const values = (await this.#sessions.get(token)) as { cookie?: { expires?: string | null } } | undefined;
    if (!values) return isLibrary && this.#sessions.isReplaced(token) ? this.#standIn() : null;
    const { cookie } = values;
    const loaded = this.#sessions.loadedOf(values);
    // The library ends a session whose cookie has expired by this process's clock. Redis's clock says that it lives.
    if (loaded && cookie?.expires && Date.parse(cookie.expires) <= Date.now()) {
      const leftMs = Math.max(1_000, loaded.facts.expiresAt - this.data.now(loaded.session));
      cookie.expires = new Date(Date.now() + leftMs).toISOString();
    }
    markOrigin(values);
    return values as unknown as Session;
  }

  // A session that is new to the library would be saved, or the cookie of another session be cleared for it.
  #standIn(): Session {
    const values = {};
    this.#sessions.standIn(values);
    markOrigin(values);
    return values as Session;
  }

  async #set(token: string, session: object): Promise<void> {
    if (!isLibrarySession(session)) return this.#sessions.set(token, session);
    this.#adopt(session);
    await this.#firstSaves.get(session);
    const request = requestOf(session);
    const reply = this.#requests.replyTo(request);
    if (this.#sessions.isUnneeded(session)) {
      if (request && reply) suppressCookie(request, reply, session);
      return;
    }
    if (!this.#isKnown(session)) {
      // It may have been saved before while nobody needed it.
      if (reply) allowCookie(reply, session);
      return this.#saveFirst(token, session);
    }
    // Which secret is the current one may have changed while this request was at work.
    const asks = reply !== undefined && !this.#suppressesCookie(session);
    const [isCurrent] = await Promise.all([asks && this.#sessions.isCurrent(token), this.#save(token, session)]);
    if (request && reply && !isCurrent) suppressCookie(request, reply, session);
    this.#shorten(session);
  }

  async #save(token: string, session: LibrarySession): Promise<void> {
    if (this.#empty.has(session)) return;
    let isUnchanged: boolean;
    try {
      isUnchanged = this.#sessions.isUnchanged(session);
    } catch (error) {
      if (error instanceof NotSerialisableError) this.#sessions.checkFields(session);
      throw error;
    }
    await (isUnchanged ? this.#sessions.touch(token, session) : this.#sessions.set(token, session));
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
    this.#sessions.checkFields(session);
    const living = await this.#sessions.get(token);
    if (!living) {
      this.#sessions.begin(session);
      // Without the plugin nobody renews it at its second request.
      if (!this.#requests.replyTo(requestOf(session))) this.#sessions.need(session);
      await this.#sessions.set(token, session);
      this.#shorten(session);
      return;
    }
    if (this.#sessions.isDegraded(living)) return;
    this.#empty.add(session);
    const request = requestOf(session);
    const reply = this.#requests.replyTo(request);
    if (request && reply) suppressCookie(request, reply, session);
  }

  // No cookie outlives what the session may.
  #shorten(session: LibrarySession): void {
    const { cookie } = session;
    const last = this.#sessions.lastMoment(session);
    if (last !== undefined && cookie.expires instanceof Date && cookie.expires.getTime() > last) {
      cookie.expires = new Date(last);
    }
  }

  /** Makes sure that the session is saved or was loaded, before it is changed in Redis. */
  async #known(current: CurrentSession & { readonly values: LibrarySession }): Promise<CurrentSession> {
    this.#adopt(current.values);
    if (!this.#isKnown(current.values)) {
      this.#sessions.need(current.values);
      await this.#set(current.token, current.values);
      askForCookie(current.values);
    }
    if (this.#empty.has(current.values)) {
      throw new StoreUnavailableError('The session could not be reloaded, so it cannot be changed either.');
    }
    return current;
  }

  #isKnown(session: object): boolean {
    const isWritten = this.#sessions.loadedOf(session) !== undefined;
    const standsIn = this.#sessions.isDegraded(session) || this.#sessions.isStandIn(session);
    return isWritten || standsIn || this.#empty.has(session);
  }

  #suppressesCookie(session: object): boolean {
    return this.#empty.has(session) || this.#sessions.suppressesCookie(session);
  }

  #receive(request: LibraryRequest, session: object): void {
    if (isLibrarySession(session)) this.#sessions.carry(session.sessionId);
    this.#adopt(session);
    if (isLibrarySession(session)) {
      tellRegenerate(session, (isRegenerating) => {
        this.#isRegenerating = isRegenerating;
      });
    }
    const reply = this.#requests.replyTo(request);
    if (reply && isLibrarySession(session) && this.#suppressesCookie(session)) suppressCookie(request, reply, session);
  }

  #adopt(session: object): void {
    const values = takeOrigin(session);
    if (!values) return;
    this.#sessions.handOver(values, session);
    // The replaced token names the session of another secret now.
    if (!this.#sessions.isStandIn(session) || !isLibrarySession(session)) return;
    const token = createToken();
    tokenSetterOf(session)(token);
    this.#sessions.standInAs(token);
  }
}

function currentSession(request: FastifyRequest): CurrentSession & { readonly values: LibrarySession } {
  const { session } = request as LibraryRequest;
  if (session && isLibrarySession(session)) return { token: session.sessionId, values: session };
  throw new TypeError('This request has no session: register @fastify/session before.');
}
