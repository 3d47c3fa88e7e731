import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type HttpBindings, serve } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import type { SessionwiseEnv } from '../../../src/adapters/hono/index.ts';
import { knowledgeMiddleware, sessionMiddleware } from '../../../src/adapters/hono/middlewares.ts';
import { type HandleOptions, SessionCookie, webKnowledge } from '../../../src/adapters/index.ts';
import type { AdapterUnderTest, PageContext, Site, SiteOptions, SiteRequest } from '../suite/adapter-site.ts';
import { openStore, sessionContext, WEB_TRAITS, type WebSettings } from '../web/web-stage.ts';

type Env = SessionwiseEnv & { Bindings: HttpBindings };

/** Hono on @hono/node-server, with the sessions of ours. */
export const HONO: AdapterUnderTest<WebSettings> = { ...WEB_TRAITS, name: 'Hono', open: openSite };

const statusOf = new WeakMap<object, number>();

async function openSite(options: SiteOptions<WebSettings>): Promise<Site> {
  const { settings, pages, client, handle } = options;
  const store = openStore<Context>(options);
  const errors: string[] = [];
  const app = new Hono<Env>();
  app.onError((thrown, c) => {
    const error = thrown as Error & { status?: number; code?: string };
    errors.push(error.code ?? error.message);
    if (c.env.outgoing.headersSent) {
      c.env.outgoing.destroy();
      return RESPONSE_ALREADY_SENT;
    }
    return c.json({ code: error.code, message: error.message }, (error.status ?? 500) as 500);
  });
  const knowledge = { ...forContext(handle), ...(client && { client }) };
  app.use(sessionMiddleware(store, new SessionCookie('sw.session()', settings), false));
  app.use(knowledgeMiddleware(webKnowledge<Context>('sw.knowledge()', knowledge, store), false));
  app.get('*', async (c) => {
    const [name = '', ...params] = c.req.path.slice(1).split('/');
    const result = await pages[name]!(contextOf(c), ...params);
    const { outgoing } = c.env;
    if (outgoing.headersSent) {
      if (!outgoing.writableEnded) outgoing.end('last');
      return RESPONSE_ALREADY_SENT;
    }
    const status = statusOf.get(c) ?? 200;
    const body = status === 204 || status === 304 ? null : JSON.stringify(result ?? null);
    return new Response(body, { status });
  });
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
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

// The functions of the tests take a request that has headers as Node has them.
function forContext(handle: SiteOptions['handle'] = {}): HandleOptions<Context> {
  const requestOf = (c: Context): SiteRequest & { session: unknown } => ({
    session: c.get('session'),
    headers: c.req.header(),
    method: c.req.method,
    url: c.env.incoming.url,
  });
  const entries = Object.entries(handle).map(([name, value]) => [
    name,
    typeof value === 'function'
      ? (c: Context, ...more: unknown[]) => (value as (...all: unknown[]) => unknown)(requestOf(c), ...more)
      : value,
  ]);
  return Object.fromEntries(entries) as HandleOptions<Context>;
}

function contextOf(c: Context<Env>): PageContext {
  const { outgoing } = c.env as unknown as { outgoing: PageContext['raw'] };
  return {
    ...sessionContext(() => c.get('session')),
    get session() {
      return c.get('session');
    },
    get handle() {
      return c.get('sessionwise');
    },
    ownToken: undefined,
    query: new URL(c.req.url).searchParams,
    sendHead: () => void outgoing.write('at '),
    status: (code) => void statusOf.set(c, code),
    async answer() {
      await c.get('session').save();
      outgoing.end('at once');
    },
    raw: outgoing,
  };
}
