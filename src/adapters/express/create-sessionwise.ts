import type { Request, RequestHandler } from 'express';
import type { CookieOptions, SessionOptions, Store } from 'express-session';
import {
  type HandleOptions,
  type LiveOptions,
  type OptionForms,
  type SessionwiseOptions,
  type SharedParts,
  SiteParts,
} from '../index.ts';
import { liveMiddleware } from './live.ts';
import { loadExpressSession } from './load-express-session.ts';
import { attachingHandles, type SessionRequest } from './session-middleware.ts';
import { SessionStore } from './session-store.ts';

/** Options of `sw.session()`: those of express-session, but for the store. Defaults of ours: `resave` and
 *  `saveUninitialized` false, tokens of our own form, and a cookie with `secure: 'auto'` and `sameSite: 'lax'`. */
export type ExpressSessionOptions = Omit<SessionOptions, 'store'>;

/** Options of `sw.knowledge()`: those of the middleware `sessionwise`, but for the client. */
export type KnowledgeOptions<Request> = Omit<HandleOptions<Request>, 'client'>;

/** Sessionwise for a site of Express: what `createSessionwise` makes. */
export interface Sessionwise extends SharedParts {
  /** The store of sessions, opened at its first use.
   *  @throws RangeError or ConnectionOptionsError for an option that cannot be used, PeerMissingError where express-session
   *  is not installed. */
  readonly store: SessionStore;
  /** Middleware: express-session with this store. `secret` signs the cookies: 32 random characters or more. Behind a proxy
   *  that speaks https set `app.set('trust proxy', 1)`.
   *  @throws RangeError for an option that is unknown or cannot be used, PeerMissingError where express-session is not
   *  installed. */
  session(options: ExpressSessionOptions): RequestHandler;
  /** Middleware: attaches `request.sessionwise`, keeps the visitor's cookie and counts page views. Mount it behind
   *  `session()`, or behind what else sets the user, and before the pages. It needs no `session()`: with another library of
   *  sessions give `user`.
   *  @throws RangeError for an option that is unknown or of the wrong type. */
  knowledge<Asking extends SessionRequest = Request>(
    options?: KnowledgeOptions<Asking>,
  ): (request: Asking, response: Parameters<RequestHandler>[1], next: (error?: unknown) => void) => void;
  /** Middleware: live streams to pages (server-sent events), and the script for pages that listen. Mount it at a path of its
   *  own behind `knowledge()`, which finds the visitor: `app.use('/live', sw.live())`.
   *  @throws RangeError for an option that is unknown or cannot be used. */
  live(
    options?: LiveOptions,
  ): (request: SessionRequest, response: Parameters<RequestHandler>[1], next: (error?: unknown) => void) => void;
}

/** Makes what a site of Express needs: one connection to Redis for session data and for what is known of visitors, and the
 *  middlewares. Begins to connect and returns; never throws because Redis is away.
 *  @throws RangeError or ConnectionOptionsError for an option that is unknown or cannot be used. */
export function createSessionwise(options: SessionwiseOptions): Sessionwise {
  const parts = new SiteParts(options, (storeOptions) => new SessionStore(storeOptions));
  return {
    client: parts.client,
    get store() {
      return parts.store;
    },
    session: (sessionOptions) => sessionMiddleware(parts, sessionOptions),
    knowledge: (handleOptions) => knowledgeMiddleware(parts, handleOptions),
    live: (liveOptions = {}) => liveMiddleware(parts.live, liveOptions),
    notices: parts.client.notices,
    person: (userId, page) => parts.person(userId, page),
    setRules: (rules) => parts.setRules(rules),
    forget: (subject, more) => parts.forget(subject, more),
    export: (subject, more) => parts.export(subject, more),
    openForOperators: () => parts.openForOperators(),
    close: () => parts.close(),
  };
}

const SESSION_OPTIONS: OptionForms<ExpressSessionOptions> = {
  secret: 'any',
  name: 'string',
  cookie: 'object|function',
  genid: 'function',
  proxy: 'boolean',
  resave: 'boolean',
  rolling: 'boolean',
  saveUninitialized: 'boolean',
  unset: '"destroy"|"keep"',
};
const COOKIE: CookieOptions = { secure: 'auto', sameSite: 'lax' };

function sessionMiddleware(parts: SiteParts<SessionStore>, options: ExpressSessionOptions): RequestHandler {
  parts.checkSessionOptions('sw.session()', options, SESSION_OPTIONS);
  if (isEmpty(options.secret)) {
    throw new RangeError('sw.session() needs secret, which signs the cookies: give 32 random characters.');
  }
  const library = loadExpressSession('sw.session()');
  const { store } = parts;
  const { cookie, ...given } = options;
  return library({
    resave: false,
    saveUninitialized: false,
    genid: store.genid,
    ...givenOnly(given),
    cookie: typeof cookie === 'function' ? (request) => ({ ...COOKIE, ...cookie(request) }) : { ...COOKIE, ...cookie },
    store: store as unknown as Store,
  });
}

function knowledgeMiddleware<Asking extends SessionRequest>(
  parts: SiteParts<SessionStore>,
  options: KnowledgeOptions<Asking> = {},
): ReturnType<typeof attachingHandles<Asking>> {
  if ('client' in options) {
    throw new RangeError('sw.knowledge() asks by the client of this object: leave client out.');
  }
  const { openedStore: store } = parts;
  return attachingHandles('sw.knowledge()', { ...(store && { store }), ...givenOnly(options), client: parts.client });
}

function isEmpty(secret: unknown): boolean {
  return secret === undefined || secret === null || secret === '' || (Array.isArray(secret) && secret.length === 0);
}

// An option that is undefined counts as left out.
function givenOnly<Options extends object>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options;
}
