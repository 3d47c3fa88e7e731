import type { Context, MiddlewareHandler } from 'hono';
import {
  type KnowledgeOptions,
  type LiveOptions,
  type SessionHandle,
  type SessionwiseOptions,
  WebParts,
  type WebSession,
  type WebSessionOptions,
  type WebSite,
} from '../index.ts';
import { knowledgeMiddleware, liveMiddleware, sessionMiddleware } from './middlewares.ts';

/** The variables that the middlewares set: `new Hono<SessionwiseEnv<MyFields>>()`. `Fields`: what the site keeps in its
 *  sessions. */
export interface SessionwiseEnv<Fields = Record<string, unknown>> {
  Variables: {
    /** The session of the request; undefined after `destroy`, another object after `regenerate`. Set by `sw.session()`. */
    session: WebSession<Fields>;
    /** The handle of whom the request is asked as: the person who is logged in, or the browser's visitor. Set by
     *  `sw.knowledge()`. */
    sessionwise: SessionHandle;
  };
}

/** Options of `createSessionwise` for Hono. */
export interface HonoSessionwiseOptions extends SessionwiseOptions {
  /** Whether the header `X-Forwarded-Proto` says how the browser came: behind a proxy that speaks https and sets it. Default
   *  false. */
  readonly trustProxy?: boolean;
}

/** Sessionwise for a site of Hono: what `createSessionwise` makes. */
export interface Sessionwise extends WebSite<Context> {
  /** Middleware: reads the session of each request into `c.var.session`, saves it behind the handlers and sets its cookie.
   *  Mount it before the pages.
   *  @throws RangeError for an option that is unknown or cannot be used. */
  session(options?: WebSessionOptions): MiddlewareHandler;
  /** Middleware: sets `c.var.sessionwise`, keeps the visitor's cookie and counts page views. Mount it behind `session()`, or
   *  behind what else sets the user, and before the pages. It needs no `session()`: with another library of sessions give
   *  `user`.
   *  @throws RangeError for an option that is unknown or of the wrong type. */
  knowledge(options?: KnowledgeOptions<Context>): MiddlewareHandler;
  /** Middleware: live streams to pages (server-sent events), and the script for pages that listen, on @hono/node-server.
   *  Mount it at a path of its own behind `knowledge()`, which finds the visitor: `app.use('/live/*', sw.live())`.
   *  @throws RangeError for an option that is unknown or cannot be used. */
  live(options?: LiveOptions): MiddlewareHandler;
}

/** Makes what a site of Hono needs: one connection to Redis for session data and for what is known of visitors, and the
 *  middlewares. Begins to connect and returns; never throws because Redis is away.
 *  @throws RangeError or ConnectionOptionsError for an option that is unknown or cannot be used. */
export function createSessionwise(options: HonoSessionwiseOptions): Sessionwise {
  const { trustProxy = false, ...others } = options ?? {};
  if (typeof trustProxy !== 'boolean') {
    throw new RangeError('createSessionwise: trustProxy cannot be used: give true or false.');
  }
  const parts = new WebParts<Context>(options && others);
  return parts.site({
    session(sessionOptions?: WebSessionOptions) {
      const { store, cookie } = parts.session('sw.session()', sessionOptions);
      return sessionMiddleware(store, cookie, trustProxy);
    },
    knowledge: (handleOptions?: KnowledgeOptions<Context>) =>
      knowledgeMiddleware(parts.knowledge('sw.knowledge()', handleOptions), trustProxy),
    live: (liveOptions: LiveOptions = {}) =>
      liveMiddleware(parts.live('sw.live()', liveOptions), () => parts.openedStore, trustProxy),
  });
}
