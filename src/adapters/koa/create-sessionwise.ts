import type { Context, Middleware } from 'koa';
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

/** Properties that the middlewares add to `ctx`: `new Koa<Koa.DefaultState, SessionwiseContext<MyFields>>()`. `Fields`: what
 *  the site keeps in its sessions. */
export interface SessionwiseContext<Fields = Record<string, unknown>> {
  /** The session of the request; undefined after `destroy`, another object after `regenerate`. Set by `sw.session()`. */
  session: WebSession<Fields>;
  /** The handle of whom the request is asked as: the person who is logged in, or the browser's visitor. Set by
   *  `sw.knowledge()`. */
  sessionwise: SessionHandle;
}

/** Options of `sw.live()`. */
export interface KoaLiveOptions extends LiveOptions {
  /** Path of the streams and of the script for pages that listen. Begins and ends with a slash. Default `/live/`. */
  readonly path?: string;
}

/** Sessionwise for a site of Koa: what `createSessionwise` makes. */
export interface Sessionwise extends WebSite<Context> {
  /** Middleware: reads the session of each request into `ctx.session`, saves it behind the handlers and sets its cookie. Mount
   *  it behind your own handling of errors, and before the pages. Behind a proxy that speaks https set `app.proxy = true`.
   *  @throws RangeError for an option that is unknown or cannot be used. */
  session(options?: WebSessionOptions): Middleware;
  /** Middleware: attaches `ctx.sessionwise`, keeps the visitor's cookie and counts page views. Mount it behind `session()`, or
   *  behind what else sets the user, and before the pages. It needs no `session()`: with another library of sessions give
   *  `user`.
   *  @throws RangeError for an option that is unknown or of the wrong type. */
  knowledge(options?: KnowledgeOptions<Context>): Middleware;
  /** Middleware: live streams to pages (server-sent events), and the script for pages that listen. Mount it behind
   *  `knowledge()`, which finds the visitor.
   *  @throws RangeError for an option that is unknown or cannot be used. */
  live(options?: KoaLiveOptions): Middleware;
}

/** Makes what a site of Koa needs: one connection to Redis for session data and for what is known of visitors, and the
 *  middlewares. Begins to connect and returns; never throws because Redis is away.
 *  @throws RangeError or ConnectionOptionsError for an option that is unknown or cannot be used. */
export function createSessionwise(options: SessionwiseOptions): Sessionwise {
  const parts = new WebParts<Context>(options);
  return parts.site({
    session(sessionOptions?: WebSessionOptions) {
      const { store, cookie } = parts.session('sw.session()', sessionOptions);
      return sessionMiddleware(store, cookie);
    },
    knowledge: (handleOptions?: KnowledgeOptions<Context>) =>
      knowledgeMiddleware(parts.knowledge('sw.knowledge()', handleOptions)),
    live({ path = '/live/', ...ofStreams }: KoaLiveOptions = {}) {
      if (!/^\/(?:.*\/)?$/.test(path)) {
        throw new RangeError(`sw.live(): path ${JSON.stringify(path)} cannot be used: give one like "/live/".`);
      }
      return liveMiddleware(parts.live('sw.live()', ofStreams), path, () => parts.openedStore);
    },
  });
}
