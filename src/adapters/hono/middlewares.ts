import type { ServerResponse } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import {
  type LiveStreams,
  type PlainAnswer,
  type SessionCookie,
  type SessionHandle,
  type WebKnowledge,
  WebRequest,
  type WebSessionStore,
} from '../index.ts';
import { HonoExchange } from './hono-exchange.ts';

/* middlewares.ts: what `createSessionwise` of Hono mounts, made of the parts of a site. */

/** Makes the middleware of sessions. */
export function sessionMiddleware(
  store: WebSessionStore<Context>,
  cookie: SessionCookie,
  trustsProxy: boolean,
): MiddlewareHandler {
  return (c, next) =>
    HonoExchange.run(c, trustsProxy, async (exchange) => {
      await store.open(c, exchange, cookie);
      try {
        await next();
        await store.save(c);
      } catch (error) {
        // The changes of a request that fails are saved too; the first error is the one to tell.
        await store.save(c).catch(() => undefined);
        // Hono has an answer for an error of the page already.
        if (c.error === undefined) throw error;
      }
    });
}

/** Makes the middleware of handles. */
export function knowledgeMiddleware(
  { attacher, script, store }: WebKnowledge<Context>,
  trustsProxy: boolean,
): MiddlewareHandler {
  return (c, next) =>
    HonoExchange.run(c, trustsProxy, async (exchange) => {
      const page = pageOf(c, exchange, store);
      const answer = await script?.answer(c, page, store?.hasOpened(c) === true, () => bodyOf(c));
      if (answer) return responseOf(answer);
      await attacher.attach(c, page);
      return next();
    });
}

/** Makes the middleware of live streams, which takes all requests that it is mounted for. */
export function liveMiddleware(
  streams: LiveStreams,
  storeNow: () => WebSessionStore<Context> | undefined,
  trustsProxy: boolean,
): MiddlewareHandler {
  return async (c) => {
    const begin = (): ServerResponse => {
      const { outgoing } = (c.env ?? {}) as { outgoing?: ServerResponse };
      if (!outgoing)
        throw new TypeError('sw.live() writes on the response of Node: serve the site by @hono/node-server.');
      return outgoing;
    };
    const page = pageOf(c, HonoExchange.of(c, trustsProxy), storeNow());
    const answer = streams.answer(c, page, c.get('sessionwise') as SessionHandle | undefined, begin);
    return answer ? responseOf(answer) : alreadySent();
  };
}

function pageOf(c: Context, exchange: HonoExchange, store: WebSessionStore<Context> | undefined): WebRequest<Context> {
  return new WebRequest(c, exchange, store, (handle) => c.set('sessionwise', handle));
}

function bodyOf({ req }: Context): AsyncIterable<Uint8Array> | undefined {
  // A middleware of the site has read it, and Hono keeps it.
  if (req.raw.bodyUsed) return readBody(() => req.arrayBuffer());
  return (req.raw.body as AsyncIterable<Uint8Array> | null) ?? undefined;
}

async function* readBody(read: () => Promise<ArrayBuffer>): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(await read());
}

function responseOf({ status, headers, body }: PlainAnswer): Response {
  return new Response(body === '' ? null : body, { status, headers });
}

// By this header @hono/node-server knows that the answer is written by somebody else.
function alreadySent(): Response {
  const response = new Response(null, { headers: { 'x-hono-already-sent': 'true' } });
  // It replaces `Response` by a class of its own, and looks for the header only where that was made a real one.
  void response.bodyUsed;
  return response;
}
