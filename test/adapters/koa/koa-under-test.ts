import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Koa, { type Context } from 'koa';
import { SessionCookie, type WebSession, webKnowledge } from '../../../src/adapters/index.ts';
import { knowledgeMiddleware, sessionMiddleware } from '../../../src/adapters/koa/middlewares.ts';
import type { AdapterUnderTest, PageContext, Site, SiteOptions } from '../suite/adapter-site.ts';
import { openStore, sessionContext, WEB_TRAITS, type WebSettings } from '../web/web-stage.ts';

/** Koa, with the sessions of ours. */
export const KOA: AdapterUnderTest<WebSettings> = { ...WEB_TRAITS, name: 'Koa', open: openSite };

async function openSite(options: SiteOptions<WebSettings>): Promise<Site> {
  const { settings, pages, client, handle } = options;
  const store = openStore<Context>(options);
  const errors: string[] = [];
  const app = new Koa();
  app.on('error', () => undefined);
  app.use(async (ctx, next) => {
    try {
      await next();
    } catch (thrown) {
      const error = thrown as Error & { status?: number; code?: string };
      errors.push(error.code ?? error.message);
      if (ctx.headerSent) return void ctx.res.destroy();
      ctx.status = error.status ?? 500;
      ctx.body = { code: error.code, message: error.message };
    }
  });
  app.use(sessionMiddleware(store, new SessionCookie('sw.session()', settings)));
  app.use(
    knowledgeMiddleware(webKnowledge<Context>('sw.knowledge()', { ...handle, ...(client && { client }) }, store)),
  );
  app.use(async (ctx) => {
    const [name = '', ...params] = ctx.path.slice(1).split('/');
    const result = await pages[name]!(contextOf(ctx), ...params);
    if (ctx.respond === false) return void (ctx.res.writableEnded || ctx.res.end('last'));
    const status = ctx.response.status === 404 ? 200 : ctx.status;
    ctx.body = JSON.stringify(result ?? null);
    ctx.status = statusOf.get(ctx) ?? status;
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    store: store as never,
    errors,
    async close() {
      server.closeAllConnections();
      server.close();
      await store.close();
    },
  };
}

const statusOf = new WeakMap<object, number>();

function contextOf(ctx: Context): PageContext {
  const session = (): WebSession => ctx.session as WebSession;
  return {
    ...sessionContext(session),
    get session() {
      return session();
    },
    get handle() {
      return ctx.sessionwise;
    },
    ownToken: undefined,
    query: new URLSearchParams(ctx.querystring),
    sendHead() {
      ctx.respond = false;
      ctx.res.statusCode = 200;
      ctx.res.write('at ');
    },
    status: (code) => void statusOf.set(ctx, code),
    async answer() {
      await session().save();
      ctx.respond = false;
      ctx.res.statusCode = 200;
      ctx.res.end('at once');
    },
    raw: ctx.res,
  };
}
