import type { Context, Middleware } from 'koa';
import {
  type LiveStreams,
  type PlainAnswer,
  type SessionCookie,
  type SessionHandle,
  type WebKnowledge,
  WebRequest,
  type WebSessionStore,
} from '../index.ts';
import { KoaExchange } from './koa-exchange.ts';

/* middlewares.ts: what `createSessionwise` of Koa mounts, made of the parts of a site. */

/** Makes the middleware of sessions. */
export function sessionMiddleware(store: WebSessionStore<Context>, cookie: SessionCookie): Middleware {
  return async (ctx, next) => {
    await store.open(ctx, new KoaExchange(ctx), cookie);
    try {
      await next();
      await store.save(ctx);
    } catch (error) {
      // The changes of a request that fails are saved too; the first error is the one to tell.
      await store.save(ctx).catch(() => undefined);
      throw error;
    }
  };
}

/** Makes the middleware of handles. */
export function knowledgeMiddleware({ attacher, script, store }: WebKnowledge<Context>): Middleware {
  return async (ctx, next) => {
    const page = pageOf(ctx, store);
    const answer = await script?.answer(ctx, page, store?.hasOpened(ctx) === true, () => bodyOf(ctx));
    if (answer) return write(ctx, answer);
    await attacher.attach(ctx, page);
    await next();
  };
}

/** Makes the middleware of live streams, which takes all requests below `path`. */
export function liveMiddleware(
  streams: LiveStreams,
  path: string,
  storeNow: () => WebSessionStore<Context> | undefined,
): Middleware {
  return async (ctx, next) => {
    if (!`${ctx.path}/`.startsWith(path)) return next();
    const begin = (): Context['res'] => {
      ctx.respond = false;
      return ctx.res;
    };
    const answer = streams.answer(ctx, pageOf(ctx, storeNow()), ctx.sessionwise as SessionHandle | undefined, begin);
    if (answer) write(ctx, answer);
  };
}

function pageOf(ctx: Context, store: WebSessionStore<Context> | undefined): WebRequest<Context> {
  return new WebRequest(ctx, new KoaExchange(ctx), store, (handle) => {
    ctx.sessionwise = handle;
  });
}

function bodyOf({ req, request }: Context): AsyncIterable<Uint8Array> | string | undefined {
  const { body } = request as { body?: unknown };
  if (typeof body === 'string') return body;
  // A parser of the site has read it.
  if (req.readableEnded) return body === undefined ? undefined : JSON.stringify(body);
  // The connection is still needed for the answer.
  return req.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
}

// On Node's response: Koa changes the headers of answers without a body.
function write(ctx: Context, { status, headers, body }: PlainAnswer): void {
  ctx.respond = false;
  for (const [name, value] of Object.entries(headers)) ctx.res.setHeader(name, value);
  ctx.res.writeHead(status).end(ctx.method === 'HEAD' ? undefined : body);
}
