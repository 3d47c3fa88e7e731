import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type session from 'express-session';
import { settle } from '../../async/callbackify.ts';
import { createToken } from '../../protocol/index.ts';
import { type SessionData, type SessionInfo, type SetIfOutcome, StoreUnavailableError } from '../../sessions/index.ts';
import { deviceLabel } from '../http/device-label.ts';
import {
  type CurrentSession,
  markInitialised,
  RequestSessions,
  type SessionStoreEvents,
  type SessionStoreOptions,
} from '../index.ts';
import { aliasObject } from './alias-object.ts';
import { responseOf } from './response-of.ts';
import { createPrototype } from './session-methods.ts';
import { type ObservedRolling, wrapResponse } from './wrap-response.ts';

type Callback<Result> = (error: unknown, result?: Result) => void;
type Values = session.SessionData;
/** A request of Express, or of anything else that express-session takes. */
export type StoreRequest = IncomingMessage & { session?: object; sessionID?: string | undefined };
type Generate = (request: StoreRequest) => void;

interface ExpressSession {
  readonly Session: {
    new (request: StoreRequest, data?: object): session.Session;
    readonly prototype: session.Session;
  };
  readonly Store: { readonly prototype: session.Store };
}

// Of a session that could not be read, and of one that code without cookies has made: as express-session's default.
const NO_COOKIE = { originalMaxAge: null, expires: null, httpOnly: true, path: '/' };

/** A store for express-session: `session({ store: new SessionStore({ redis }), ... })`. Usable at once: what is asked
 *  before the connection stands waits for it within the deadline. Every method takes a callback or returns a promise.
 *
 *  It tells outages as `store:down` and `store:up`, and never emits `disconnect`, at which express-session would leave
 *  `request.session` undefined. */
export class SessionStore extends EventEmitter<SessionStoreEvents> {
  /** The store beneath: by token or session, for code that is no request (jobs, webhooks, scripts). */
  readonly data: SessionData;
  /** Makes tokens of our own form, for express-session's option `genid`. */
  readonly genid: () => string = () => createToken();
  readonly #sessions: RequestSessions;
  readonly #express: ExpressSession;
  readonly #prototype: object;
  readonly #observedRolling: ObservedRolling = { rolling: undefined };
  #generate: Generate | undefined;

  /** Begins to connect and returns; never throws because Redis is away.
   *  @throws RangeError or ConnectionOptionsError for a value that cannot be used. */
  constructor(options: SessionStoreOptions) {
    super();
    // Loaded here and not above: the middleware of this module works without express-session.
    this.#express = createRequire(import.meta.url)('express-session') as ExpressSession;
    const { prototype } = this.#express.Session;
    const taken = namesOn(prototype);
    this.#sessions = new RequestSessions(options, (name) => taken.has(name));
    this.data = this.#sessions.data;
    this.#prototype = createPrototype(this.#express.Session.prototype, this, this.#sessions);
    for (const event of ['store:down', 'store:up', 'degraded'] as const) {
      this.#sessions.on(event, (...args: unknown[]) => this.emit(event, ...(args as never)));
    }
  }

  /** Reads a session by its token; null where there is none, and for a public id: that is no credential. */
  get(token: string): Promise<Values | null>;
  get(token: string, callback: Callback<Values | null>): void;
  get(token: string, callback?: Callback<Values | null>): Promise<Values | null> | undefined {
    return settle(this.#get(token), callback);
  }

  /** Saves what was changed since the session was loaded; see `SessionData.save`. Not by a session's public id.
   *  @throws RangeError */
  set(token: string, values: Values): Promise<void>;
  set(token: string, values: Values, callback?: Callback<void>): void;
  set(token: string, values: Values, callback?: Callback<void>): Promise<void> | undefined {
    // Explicitly none, where the caller gives none: what was saved by code that knows no cookies gets a plain one.
    const whole = values.cookie === undefined ? { ...values, cookie: null } : values;
    return settle(this.#sessions.set(token, whole), callback);
  }

  /** Renews a session; mostly it sends nothing. */
  touch(token: string, values: Values): Promise<void>;
  touch(token: string, values: Values, callback?: Callback<void>): void;
  touch(token: string, values: Values, callback?: Callback<void>): Promise<void> | undefined {
    return settle(this.#sessions.touch(token, values), callback);
  }

  /** Ends a session, for good. By its token; or, for your own code, by the public id that `all()` and `ids()` give.
   *  A token that was replaced ends nothing, and for `graceMs` that is said: SessionGoneError. */
  destroy(id: string): Promise<void>;
  destroy(id: string, callback?: Callback<void>): void;
  destroy(id: string, callback?: Callback<void>): Promise<void> | undefined {
    return settle(this.#sessions.end(id), callback);
  }

  /** All sessions that live, each with its public id as `id`. It reads all of them: for tools. */
  all(): Promise<(Values & { id: string })[]>;
  all(callback: Callback<(Values & { id: string })[]>): void;
  all(callback?: Callback<(Values & { id: string })[]>): Promise<(Values & { id: string })[]> | undefined {
    const now = this.data.now();
    return settle(
      this.data.all().then((all) => all.map((one) => ({ ...(one.values(now) as unknown as Values), id: one.session }))),
      callback,
    );
  }

  /** How many sessions live. It looks at all of them: for tools. */
  length(): Promise<number>;
  length(callback: Callback<number>): void;
  length(callback?: Callback<number>): Promise<number> | undefined {
    return settle(
      this.data.sessions().then((ids) => ids.length),
      callback,
    );
  }

  /** The public ids of the sessions that live. Their tokens, which other stores give here, nobody has. `destroy` takes
   *  them. */
  ids(): Promise<string[]>;
  ids(callback: Callback<string[]>): void;
  ids(callback?: Callback<string[]>): Promise<string[]> | undefined {
    return settle(this.data.sessions(), callback);
  }

  /** Ends all sessions of the namespace. */
  clear(): Promise<void>;
  clear(callback?: Callback<void>): void;
  clear(callback?: Callback<void>): Promise<void> | undefined {
    return settle(this.data.clear(), callback);
  }

  /** Ends the request's session and begins another, under another id; nothing is kept. Where the old one cannot be
   *  ended, there is no new one: the request keeps its session, and the callback gets the error. With a replaced secret the
   *  old one lives on, and the request begins its own. */
  regenerate(request: StoreRequest, callback: (error?: unknown) => void): void {
    if (this.isDegraded(request)) {
      const error = new StoreUnavailableError('The session could not be read, so it was not ended.');
      void settle(Promise.reject(error), callback);
      return;
    }
    void settle(this.#sessions.endForAnother(request.sessionID ?? ''), (error) => {
      if (error) return callback(error);
      this.#begin(request);
      callback();
    });
  }

  /** Reads a session outside a request, with the methods of one. */
  load(token: string, callback: (error: unknown, session?: Values) => void): void {
    this.get(token, (error, values) => {
      if (error || !values) return callback(error);
      callback(null, this.createSession({ sessionID: token, sessionStore: this } as never, values));
    });
  }

  /** Makes the request's session of data that `get` gave. express-session calls it. */
  createSession(request: StoreRequest, values: Values): session.Session & Values {
    const { Store } = this.#express;
    const created = Store.prototype.createSession.call(this as never, request as never, values) as session.Session &
      Values;
    this.#sessions.handOver(values, created);
    this.#sessions.carry(request.sessionID);
    Object.setPrototypeOf(created, this.#prototype);
    wrapResponse(request, request.sessionID, this.#sessions, this.#observedRolling);
    return created;
  }

  /** Begins a new session for a request. express-session sets it, and calls it for a request without one. */
  get generate(): Generate {
    return (request) => {
      const isReplaced = this.#sessions.isReplaced(request.sessionID);
      this.#begin(request);
      if (isReplaced) {
        this.#sessions.standIn(request.session!);
        this.#sessions.standInAs(request.sessionID!);
      }
      wrapResponse(request, isReplaced ? request.sessionID : undefined, this.#sessions, this.#observedRolling);
    };
  }

  set generate(generate: Generate) {
    this.#generate = generate;
  }

  #begin(request: StoreRequest): void {
    if (!this.#generate) {
      throw new Error('This store is not in use: give it to express-session, session({ store }).');
    }
    this.#generate(request);
    this.#sessions.begin(request.session!);
    this.#sessions.carry(request.sessionID);
    Object.setPrototypeOf(request.session!, this.#prototype);
  }

  /** Gives the request's session another secret: same session, same data, nothing calculated is lost. Call it at login
   *  and when rights change, before `identify`: the previous secret opens nothing from then on, and requests that are
   *  still on their way with it see no session and get no cookie. With `grace`, for rotations that go with no change of
   *  rights, they read for `graceMs` what was there before, and can change nothing.
   *  Afterwards `request.session` is another object, as after `regenerate`; the old one is an alias of it.
   *  @throws StoreUnavailableError; SessionGoneError, also where another request has rotated since this one began;
   *  TypeError where the headers are sent: the new token would reach nobody. */
  async rotate(request: StoreRequest, options: { readonly grace?: boolean } = {}): Promise<void> {
    if (responseOf(request)?.headersSent) {
      throw new TypeError('rotate() changed nothing: the headers are sent, and the cookie with them. Call it before.');
    }
    await this.#sessions.rotate(currentSession(request), options, (token, before) => {
      request.sessionID = token;
      const after = new this.#express.Session(request, { ...before });
      this.#sessions.handOver(before, after);
      Object.setPrototypeOf(after, this.#prototype);
      request.session = after;
      aliasObject(before, after);
    });
  }

  /** Says whose the request's session is, and lists it among that user's. `device` is what the list calls it; by default
   *  it is read from the User-Agent header. Returns the sessions that had to end for it.
   *  @throws StoreUnavailableError, SessionGoneError, SessionLimitError */
  identify(request: StoreRequest, userId: string, options: { readonly device?: string } = {}): Promise<string[]> {
    const device = options.device ?? deviceLabel(request.headers?.['user-agent']);
    const current = currentSession(request);
    // express-session sends no cookie for a new session in which it sees nothing.
    if (!this.#sessions.loadedOf(current.values)) markInitialised(current.values);
    return this.#sessions.identify(current, userId, device);
  }

  /** Says that a request acts for another session, by its bearer token: where its own is a new one, that is not saved and
   *  no cookie is sent for it, unless the application puts something in. The middleware calls it. */
  leaveUnsaved({ session }: StoreRequest): void {
    if (session && !this.#sessions.loadedOf(session)) this.#sessions.leaveUnsaved(session);
  }

  /** What is known of the request's session beside its data; undefined where it was never saved. */
  info(request: StoreRequest): SessionInfo | undefined {
    return request.session && this.#sessions.infoOf(request.session);
  }

  /** Whether the request's session stands in for one that could not be read (`fail: 'open'`). */
  isDegraded(request: StoreRequest): boolean {
    return request.session !== undefined && this.#sessions.isDegraded(request.session);
  }

  /** Adds to a number of the request's session in one step; see `SessionData.increment`. */
  increment(request: StoreRequest, field: string, by = 1): Promise<number> {
    return this.#sessions.increment(currentSession(request), field, by);
  }

  /** Appends to a list of the request's session in one step; see `SessionData.append`. */
  append(request: StoreRequest, field: string, ...values: unknown[]): Promise<unknown[]> {
    return this.#sessions.append(currentSession(request), field, values);
  }

  /** Sets fields of the request's session if nobody changed it since it had `version`; see `SessionData.setIf`. */
  setIf(request: StoreRequest, version: number, values: Readonly<Record<string, unknown>>): Promise<SetIfOutcome> {
    return this.#sessions.setIf(currentSession(request), version, values);
  }

  /** Ends the connection. Operations that wait are refused. */
  async close(): Promise<void> {
    await this.#sessions.close();
    this.removeAllListeners();
  }

  async #get(token: string): Promise<Values | null> {
    const values = (await this.#sessions.get(token)) as Values | undefined;
    if (values && values.cookie === undefined) values.cookie = { ...NO_COOKIE } as Values['cookie'];
    return values ?? null;
  }
}

// What express-session's sessions have themselves, inherited names included; `id` and `req` it sets on each.
function namesOn(prototype: object): Set<string> {
  const names = new Set(['id', 'req']);
  for (let on = prototype as object | null; on !== null; on = Object.getPrototypeOf(on) as object | null) {
    for (const name of Object.getOwnPropertyNames(on)) names.add(name);
  }
  return names;
}

function currentSession({ session: values, sessionID: token }: StoreRequest): CurrentSession {
  if (values && token !== undefined) return { token, values };
  throw new TypeError('This request has no session: mount express-session before.');
}
