import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type session from 'express-session';
import { createToken } from '../protocol/index.ts';
import {
  checkFields,
  type LoadedSession,
  SessionData,
  type SessionDataOptions,
  SessionGoneError,
  type SetIfOutcome,
  StoreUnavailableError,
} from '../store/index.ts';
import { deviceLabel } from './device-label.ts';
import type { SessionInfo, SessionMethods } from './session-methods.ts';
import { withholdCookie } from './withhold-cookie.ts';

export interface SessionStoreOptions extends SessionDataOptions {
  /** What a request gets while its session cannot be read. `closed` (default): the error STORE_UNAVAILABLE. `open`: an
   *  empty session under its own token, whose saves write nothing. In neither is a cookie replaced. */
  readonly fail?: 'closed' | 'open';
}

/** An operation that did not happen, in a store that fails open. */
export interface DegradedOperation {
  readonly operation: 'get' | 'set' | 'touch';
  readonly error: StoreUnavailableError;
}

interface SessionStoreEvents {
  /** Redis cannot be reached, or does not answer; told once for each outage. */
  'store:down': [Error];
  /** It answers again. */
  'store:up': [];
  /** With `fail: 'open'`: a request goes on without its session, or what it changed is lost. */
  degraded: [DegradedOperation];
}

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

const NO_COOKIE = { originalMaxAge: null, expires: null, httpOnly: true, path: '/' };

/** A store for express-session: `session({ store: new SessionStore({ redis }), ... })`. Usable at once: what is asked
 *  before the connection stands waits for it within the deadline. Every method takes a callback or returns a promise.
 *
 *  It tells outages as `store:down` and `store:up`, and never emits `disconnect`, at which express-session would leave
 *  `request.session` undefined. */
export class SessionStore extends EventEmitter<SessionStoreEvents> {
  /** The store beneath: by token or session, for code that is no request (jobs, webhooks, scripts). */
  readonly data: SessionData;
  /** Makes tokens of our own form, for express-session's `genid`; only those can be told from another's at once. */
  readonly genid: () => string = () => createToken();
  readonly #failsOpen: boolean;
  readonly #express: ExpressSession;
  readonly #methods: object;
  /** What a request's session, or data that `get` gave, is compared with when it is saved. */
  readonly #loaded = new WeakMap<object, LoadedSession>();
  readonly #generated = new WeakSet<object>();
  readonly #degraded = new WeakSet<object>();
  #generate: Generate | undefined;

  /** Begins to connect and returns; never throws because Redis is away.
   *  @throws RangeError or ConnectionOptionsError for a value that cannot be used. */
  constructor(options: SessionStoreOptions) {
    super();
    const { fail = 'closed' } = options;
    if (fail !== 'closed' && fail !== 'open') {
      throw new RangeError(`fail ${JSON.stringify(fail)} cannot be used: give "closed" or "open".`);
    }
    this.#failsOpen = fail === 'open';
    // Loaded here and not above: the middleware of this module works without express-session.
    this.#express = createRequire(import.meta.url)('express-session') as ExpressSession;
    this.#methods = this.#createMethods();
    this.data = new SessionData(options);
    this.data.on('store:down', (error) => this.emit('store:down', error));
    this.data.on('store:up', () => this.emit('store:up'));
  }

  /** Reads a session; null where there is none. */
  get(token: string): Promise<Values | null>;
  get(token: string, callback: Callback<Values | null>): void;
  get(token: string, callback?: Callback<Values | null>): Promise<Values | null> | undefined {
    return settle(this.#get(token), callback);
  }

  /** Saves what was changed since the session was loaded; see `SessionData.save`. */
  set(token: string, values: Values): Promise<void>;
  set(token: string, values: Values, callback?: Callback<void>): void;
  set(token: string, values: Values, callback?: Callback<void>): Promise<void> | undefined {
    return settle(this.#set(token, values), callback);
  }

  /** Renews a session; mostly it sends nothing. */
  touch(token: string, values: Values): Promise<void>;
  touch(token: string, values: Values, callback?: Callback<void>): void;
  touch(token: string, values: Values, callback?: Callback<void>): Promise<void> | undefined {
    return settle(this.#touch(token, values), callback);
  }

  /** Ends a session, for good. */
  destroy(token: string): Promise<void>;
  destroy(token: string, callback?: Callback<void>): void;
  destroy(token: string, callback?: Callback<void>): Promise<void> | undefined {
    return settle(
      this.data.end(token).then(() => undefined),
      callback,
    );
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

  /** The public ids of the sessions that live. Their tokens, which other stores give here, nobody has. */
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
   *  ended, there is no new one: the request keeps its session, and the callback gets the error. */
  regenerate(request: StoreRequest, callback: (error?: unknown) => void): void {
    this.destroy(request.sessionID ?? '', (error) => {
      if (error) return callback(error);
      this.generate(request);
      callback();
    });
  }

  /** Reads a session outside a request, with the methods of one. */
  load(token: string, callback: (error: unknown, session?: session.Session) => void): void {
    this.get(token, (error, values) => {
      if (error || !values) return callback(error);
      callback(null, this.createSession({ sessionID: token, sessionStore: this } as never, values));
    });
  }

  /** Makes the request's session of data that `get` gave. express-session calls it. */
  createSession(request: StoreRequest, values: Values): session.Session & Values {
    const { Session, Store } = this.#express;
    const loaded = this.#loaded.get(values);
    const created = Store.prototype.createSession.call(this as never, request as never, values) as session.Session &
      Values;
    if (loaded) {
      for (const name of loaded.fields.keys()) if (name in Session.prototype) loaded.hidden.add(name);
      this.#loaded.set(created, loaded);
    }
    if (this.#degraded.has(values)) this.#degraded.add(created);
    this.#adopt(created);
    if (loaded?.byPreviousSecret || this.#degraded.has(created)) withholdCookie(request);
    return created;
  }

  /** Begins a new session for a request. express-session sets it. */
  get generate(): Generate {
    return (
      this.#generate ??
      (() => {
        throw new Error('This store is not in use: give it to express-session, session({ store }).');
      })
    );
  }

  set generate(generate: Generate) {
    this.#generate = (request) => {
      generate(request);
      this.#generated.add(request.session!);
      this.#adopt(request.session!);
    };
  }

  /** Gives the request's session another secret: same session, same data, nothing calculated is lost. The previous
   *  secret is honoured for `graceMs` for requests that are on their way. Call it at login and when rights change.
   *  Afterwards `request.session` is another object, as after `regenerate`; the old one passes on to it what is set.
   *  False where the request came with the previous secret itself: then it keeps that, and gets no cookie.
   *  @throws StoreUnavailableError, SessionGoneError */
  async rotate(request: StoreRequest): Promise<boolean> {
    const before = request.session!;
    const loaded = await this.#saved(request);
    if (loaded.byPreviousSecret) return false;
    const token = await this.data.rotate(request.sessionID!, loaded);
    if (token === undefined) return false;
    request.sessionID = token;
    const { Session } = this.#express;
    const after = new Session(request, { ...before });
    this.#loaded.set(after, loaded);
    this.#adopt(after);
    request.session = after;
    passOn(before, after);
    return true;
  }

  /** Says whose the request's session is, and lists it among that user's. `device` is what the list calls it; by default
   *  it is read from the User-Agent header. Returns the sessions that had to end for it.
   *  @throws StoreUnavailableError, SessionGoneError, SessionLimitError */
  async identify(request: StoreRequest, userId: string, options: { readonly device?: string } = {}): Promise<string[]> {
    const loaded = await this.#saved(request);
    const device = options.device ?? deviceLabel(request.headers?.['user-agent']);
    return this.data.identify(request.sessionID!, userId, { device }, loaded);
  }

  /** What is known of the request's session beside its data; undefined where it was never saved. */
  info(request: StoreRequest): SessionInfo | undefined {
    const loaded = request.session && this.#loaded.get(request.session);
    if (!loaded) return undefined;
    const { createdAt, lastSeenAt, expiresAt, version } = loaded.facts;
    const { session, userId, byPreviousSecret } = loaded;
    return { session, userId, createdAt, lastSeenAt, expiresAt, version, byPreviousSecret };
  }

  /** Whether the request's session stands in for one that could not be read (`fail: 'open'`). */
  isDegraded(request: StoreRequest): boolean {
    return request.session !== undefined && this.#degraded.has(request.session);
  }

  /** Adds to a number of the request's session in one step; see `SessionData.increment`. */
  async increment(request: StoreRequest, field: string, by = 1): Promise<number> {
    const loaded = await this.#saved(request);
    const sum = await this.data.increment(request.sessionID!, field, by, loaded);
    (request.session as Record<string, unknown>)[field] = sum;
    return sum;
  }

  /** Appends to a list of the request's session in one step; see `SessionData.append`. */
  async append(request: StoreRequest, field: string, ...values: unknown[]): Promise<unknown[]> {
    const loaded = await this.#saved(request);
    const list = await this.data.append(request.sessionID!, field, values, loaded);
    (request.session as Record<string, unknown>)[field] = list;
    return list;
  }

  /** Sets fields of the request's session if nobody changed it since it had `version`; see `SessionData.setIf`. */
  async setIf(
    request: StoreRequest,
    version: number,
    values: Readonly<Record<string, unknown>>,
  ): Promise<SetIfOutcome> {
    const loaded = await this.#saved(request);
    const outcome = await this.data.setIf(request.sessionID!, version, values, loaded);
    if (outcome.applied) {
      for (const [name, value] of Object.entries(values)) {
        if (value === undefined) delete (request.session as Record<string, unknown>)[name];
        else (request.session as Record<string, unknown>)[name] = value;
      }
    }
    return outcome;
  }

  /** Ends the connection. Operations that wait are refused. */
  async close(): Promise<void> {
    await this.data.close();
    this.removeAllListeners();
  }

  async #get(token: string): Promise<Values | null> {
    let loaded: LoadedSession | undefined;
    try {
      loaded = await this.data.load(token);
    } catch (error) {
      if (!this.#tolerates('get', error)) throw error;
      const empty = { cookie: { ...NO_COOKIE } } as Values;
      this.#degraded.add(empty);
      return empty;
    }
    if (!loaded) return null;
    const values = loaded.values(this.data.now()) as unknown as Values;
    this.#loaded.set(values, loaded);
    return values;
  }

  async #set(token: string, values: Values): Promise<void> {
    if (this.#degraded.has(values)) return;
    try {
      const isNew = this.#generated.has(values);
      const loaded = await this.data.save(token, values, this.#loaded.get(values), { isNew });
      if (loaded) this.#loaded.set(values, loaded);
    } catch (error) {
      if (!this.#tolerates('set', error)) throw error;
    }
  }

  async #touch(token: string, values: Values): Promise<void> {
    if (this.#degraded.has(values)) return;
    try {
      await this.data.touch(token, values, this.#loaded.get(values));
    } catch (error) {
      if (!this.#tolerates('touch', error)) throw error;
    }
  }

  /** What the request's session was loaded as, or was saved as now. */
  async #saved(request: StoreRequest): Promise<LoadedSession> {
    const values = request.session as Values | undefined;
    if (!values || request.sessionID === undefined) {
      throw new TypeError('This request has no session: mount express-session before.');
    }
    if (this.#degraded.has(values)) {
      throw new StoreUnavailableError('The session could not be read, so it cannot be changed either.');
    }
    if (!this.#loaded.has(values)) {
      const loaded = await this.data.save(request.sessionID, values, undefined, { isNew: this.#generated.has(values) });
      if (!loaded) throw new SessionGoneError('The save of a new session');
      this.#loaded.set(values, loaded);
    }
    return this.#loaded.get(values)!;
  }

  #tolerates(operation: DegradedOperation['operation'], error: unknown): boolean {
    if (!this.#failsOpen || !(error instanceof StoreUnavailableError)) return false;
    this.emit('degraded', { operation, error });
    return true;
  }

  #adopt(created: object): void {
    Object.setPrototypeOf(created, this.#methods);
  }

  // What `request.session` can do beside what express-session gives it.
  #createMethods(): object {
    const store = this;
    const base = this.#express.Session.prototype;
    const methods: SessionMethods & ThisType<{ readonly req: StoreRequest }> = {
      rotate() {
        return store.rotate(this.req);
      },
      identify(userId, options) {
        return store.identify(this.req, userId, options);
      },
      increment(field, by) {
        return store.increment(this.req, field, by);
      },
      append(field, ...values) {
        return store.append(this.req, field, ...values);
      },
      setIf(version, values) {
        return store.setIf(this.req, version, values);
      },
      info() {
        return store.info(this.req);
      },
      isDegraded() {
        return store.isDegraded(this.req);
      },
    };
    const resetMaxAge = function (this: session.Session): session.Session {
      base.resetMaxAge.call(this);
      store.#shorten(this);
      return this;
    };
    // express-session writes the session as JSON to see whether it was changed. What cannot be written is named here.
    const toJSON = function (this: session.Session): session.Session {
      checkFields(this);
      return this;
    };
    return Object.create(base, describeHidden({ ...methods, resetMaxAge, toJSON }));
  }

  // No cookie outlives what the session may: `absoluteMs` counts from its first save, which for a new one is now.
  #shorten(created: session.Session): void {
    const { absoluteMs } = this.data;
    const { cookie } = created;
    if (absoluteMs === 0 || !(cookie.expires instanceof Date)) return;
    const loaded = this.#loaded.get(created);
    const leftMs = loaded ? loaded.facts.createdAt + absoluteMs - this.data.now() : absoluteMs;
    const last = Date.now() + Math.max(0, leftMs);
    if (cookie.expires.getTime() <= last) return;
    const { originalMaxAge } = cookie;
    cookie.expires = new Date(last);
    cookie.originalMaxAge = originalMaxAge;
  }
}

function settle<Result>(promise: Promise<Result>, callback: Callback<Result> | undefined): Promise<Result> | undefined {
  if (!callback) return promise;
  // Out of the promise's reach: what a callback throws is the application's, and no rejection.
  promise.then(
    (result) => process.nextTick(callback, null, result),
    (error: unknown) => process.nextTick(callback, error),
  );
  return undefined;
}

function describeHidden(methods: object): PropertyDescriptorMap {
  return Object.fromEntries(
    Object.entries(methods).map(([name, value]) => [name, { value, configurable: true, writable: true }]),
  );
}

// Who still holds the object from before a rotation reads and sets the one that will be saved.
function passOn(before: object, after: object): void {
  for (const name of Object.keys(before)) delete (before as Record<string, unknown>)[name];
  Object.setPrototypeOf(
    before,
    new Proxy(after, {
      get: (target, name) => Reflect.get(target, name),
      set: (target, name, value) => Reflect.set(target, name, value),
    }),
  );
}
