import type { SessionData as LibraryData, Session as LibrarySession } from 'express-session';
import { callbackify, giveResult } from '../../async/index.ts';
import {
  type CurrentSession,
  markInitialised,
  RequestStore,
  type SessionOperations,
  type SessionStoreOptions,
  StoreUnavailableError,
} from '../index.ts';
import { aliasObject } from './alias-object.ts';
import { type ExpressSession, loadExpressSession } from './load-express-session.ts';
import { responseOf } from './response-of.ts';
import { createPrototype } from './session-prototype.ts';
import type { StoreRequest } from './store-request.ts';
import { type ObservedRolling, wrapResponse } from './wrap-response.ts';

// Here, because the declarations of the subpath reach this file: those of a file that it only runs are left out.
declare module 'express-session' {
  interface Session extends SessionOperations<LibraryData> {}
}

type Callback<Result> = (error: unknown, result?: Result) => void;
type Values = LibraryData;
type Generate = (request: StoreRequest) => void;

// Of a session that could not be read, and of one that code without cookies has made: as express-session's default.
const NO_COOKIE = { originalMaxAge: null, expires: null, httpOnly: true, path: '/' };

/** A store for express-session: `session({ store: new SessionStore({ redis }), ... })`. Usable at once: operations
 *  before the connection stands wait for it within the deadline. Every method takes a callback or returns a promise.
 *
 *  It tells outages as `store:down` and `store:up`, and never emits `disconnect`, at which express-session would leave
 *  `request.session` undefined. */
export class SessionStore extends RequestStore<StoreRequest> {
  readonly #express: ExpressSession;
  readonly #prototype: object;
  readonly #observedRolling: ObservedRolling = { rolling: undefined };
  #generate: Generate | undefined;

  /** Begins to connect and returns; never throws because Redis is away.
   *  @throws RangeError or ConnectionOptionsError for a value that cannot be used, PeerMissingError where express-session is
   *  not installed. */
  constructor(options: SessionStoreOptions) {
    // Loaded here and not above: the middleware of this module works without express-session.
    const library = loadExpressSession('SessionStore');
    const taken = namesOn(library.Session.prototype);
    super(options, (name) => taken.has(name));
    this.#express = library;
    this.#prototype = createPrototype(library.Session.prototype, this, this.sessions);
  }

  /** Reads a session by its token; null where there is none, and for a public id: that is no credential. */
  get(token: string): Promise<Values | null>;
  get(token: string, callback: Callback<Values | null>): void;
  get(token: string, callback?: Callback<Values | null>): Promise<Values | null> | undefined {
    if (!callback) return this.sessions.get(token).then(withCookie);
    this.sessions.getThen(token, (error, values) => {
      if (error) callback(error);
      else giveResult(callback, () => withCookie(values));
    });
    return undefined;
  }

  /** Saves the changes since the session was loaded; see `SessionData.save`. Not by a session's public id.
   *  @throws RangeError */
  set(token: string, values: Values): Promise<void>;
  set(token: string, values: Values, callback?: Callback<void>): void;
  set(token: string, values: Values, callback?: Callback<void>): Promise<void> | undefined {
    // Explicitly none, where the caller gives none: a session that was saved without one gets a plain one.
    const whole = values.cookie === undefined ? { ...values, cookie: null } : values;
    return callbackify(this.sessions.set(token, whole), callback);
  }

  /** Renews a session; mostly it sends nothing. */
  touch(token: string, values: Values): Promise<void>;
  touch(token: string, values: Values, callback?: Callback<void>): void;
  touch(token: string, values: Values, callback?: Callback<void>): Promise<void> | undefined {
    return callbackify(this.sessions.touch(token, values), callback);
  }

  /** Ends a session, for good. By its token; or, for your own code, by the public id that `all()` and `ids()` give.
   *  A token that was replaced ends nothing, and for `graceMs` that is said: SessionGoneError. */
  destroy(id: string): Promise<void>;
  destroy(id: string, callback?: Callback<void>): void;
  destroy(id: string, callback?: Callback<void>): Promise<void> | undefined {
    return callbackify(this.sessions.end(id), callback);
  }

  /** All sessions that live, each with its public id as `id`. It reads all of them: for tools. */
  all(): Promise<(Values & { id: string })[]>;
  all(callback: Callback<(Values & { id: string })[]>): void;
  all(callback?: Callback<(Values & { id: string })[]>): Promise<(Values & { id: string })[]> | undefined {
    const { data } = this;
    return callbackify(
      data
        .all()
        .then((all) =>
          all.map((one) => ({ ...(data.valuesOf(one) as unknown as Values), id: data.infoOf(one).session })),
        ),
      callback,
    );
  }

  /** How many sessions live. It looks at all of them: for tools. */
  length(): Promise<number>;
  length(callback: Callback<number>): void;
  length(callback?: Callback<number>): Promise<number> | undefined {
    return callbackify(
      this.data.sessions().then((ids) => ids.length),
      callback,
    );
  }

  /** The public ids of the sessions that live. Their tokens, which other stores give here, are kept nowhere. `destroy` takes
   *  them. */
  ids(): Promise<string[]>;
  ids(callback: Callback<string[]>): void;
  ids(callback?: Callback<string[]>): Promise<string[]> | undefined {
    return callbackify(this.data.sessions(), callback);
  }

  /** Ends all sessions of the namespace. */
  clear(): Promise<void>;
  clear(callback?: Callback<void>): void;
  clear(callback?: Callback<void>): Promise<void> | undefined {
    return callbackify(this.data.clear(), callback);
  }

  /** Ends the request's session and begins another, under another id; nothing is kept. Where the old one cannot be
   *  ended, there is no new one: the request keeps its session, and the callback gets the error. With a replaced secret the
   *  old one lives on, and the request begins its own. */
  regenerate(request: StoreRequest, callback: (error?: unknown) => void): void {
    if (this.isDegraded(request)) {
      const error = new StoreUnavailableError('The session could not be read, so it was not ended.');
      void callbackify(Promise.reject(error), callback);
      return;
    }
    void callbackify(this.sessions.endForAnother(request.sessionID ?? ''), (error) => {
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
  createSession(request: StoreRequest, values: Values): LibrarySession & Values {
    const { Store } = this.#express;
    const created = Store.prototype.createSession.call(this as never, request as never, values) as LibrarySession &
      Values;
    this.sessions.handOver(values, created);
    this.sessions.states.carry(request.sessionID);
    Object.setPrototypeOf(created, this.#prototype);
    wrapResponse(request, request.sessionID, this.sessions, this.#observedRolling);
    return created;
  }

  /** Begins a new session for a request. express-session sets it, and calls it for a request without one. */
  get generate(): Generate {
    return (request) => {
      const isReplaced = this.sessions.states.isReplaced(request.sessionID);
      this.#begin(request);
      if (isReplaced) {
        this.sessions.states.standIn(request.session!, request.sessionID);
      }
      wrapResponse(request, isReplaced ? request.sessionID : undefined, this.sessions, this.#observedRolling);
    };
  }

  set generate(generate: Generate) {
    this.#generate = generate;
  }

  #begin(request: StoreRequest): void {
    if (!this.#generate) {
      throw new TypeError('This store is not in use: give it to express-session, session({ store }).');
    }
    this.#generate(request);
    this.sessions.states.begin(request.session!);
    this.sessions.states.carry(request.sessionID);
    Object.setPrototypeOf(request.session!, this.#prototype);
  }

  // The request's id is hidden while the head of an answer without a cookie is written.
  protected override valuesOf({ session }: StoreRequest): object | undefined {
    return session;
  }

  protected override currentSession({ session: values, sessionID: token }: StoreRequest): CurrentSession | undefined {
    return values && token !== undefined ? { token, values } : undefined;
  }

  protected override noSessionMessage(): string {
    return 'This request has no session: mount express-session before.';
  }

  protected override userAgentOf({ headers }: StoreRequest): string | undefined {
    return headers?.['user-agent'];
  }

  protected override startRotation(request: StoreRequest): (token: string, before: object) => void {
    if (responseOf(request)?.headersSent) {
      throw new TypeError('rotate() changed nothing: the headers are sent, and the cookie with them. Call it before.');
    }
    return (token, before) => {
      request.sessionID = token;
      const after = new this.#express.Session(request, { ...before });
      this.sessions.handOver(before, after);
      Object.setPrototypeOf(after, this.#prototype);
      request.session = after;
      aliasObject(before, after);
    };
  }

  // express-session sends no cookie for a new session in which it sees nothing.
  protected override startIdentify(_request: StoreRequest, { values }: CurrentSession): undefined {
    if (!this.sessions.states.loadedOf(values)) markInitialised(values);
  }
}

function withCookie(found: object | undefined): Values | null {
  const values = found as Values | undefined;
  if (values && values.cookie === undefined) values.cookie = { ...NO_COOKIE } as Values['cookie'];
  return values ?? null;
}

// Names of express-session's own sessions, inherited ones included; `id` and `req` it sets on each.
function namesOn(prototype: object): Set<string> {
  const names = new Set(['id', 'req']);
  for (let on = prototype as object | null; on !== null; on = Object.getPrototypeOf(on) as object | null) {
    for (const name of Object.getOwnPropertyNames(on)) names.add(name);
  }
  return names;
}
