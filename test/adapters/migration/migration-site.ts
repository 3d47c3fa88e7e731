import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import express, { type Request } from 'express';
import session from 'express-session';
import Fastify from 'fastify';
import { SessionStore as FastifyStore, sessionwise } from '../../../src/adapters/fastify/index.ts';

/* migration-site.ts: the same small shop over any store, so that one browser can be sent to processes with connect-redis
 * and to processes with ours. */

const SECRET = 'a secret for tests, and only for them';

/** A process of the shop. */
export interface ShopProcess {
  readonly url: string;
  close(): Promise<void>;
}

type Fields = Record<string, unknown>;

/** What the pages do with a session's fields: `/login/ada`, `/add/book`, `/me`. */
function visit(fields: Fields, page: string, value: string | undefined): unknown {
  if (page === 'login') fields.user = value;
  if (page === 'add') fields.cart = [...((fields.cart as string[] | undefined) ?? []), value];
  if (page === 'set') fields[value!.split('=')[0]!] = value!.split('=')[1];
  const { cookie: _, ...seen } = JSON.parse(JSON.stringify(fields)) as Fields;
  return seen;
}

/** Opens a process with Express. */
export async function openExpress(store: session.Store, genid?: () => string): Promise<ShopProcess> {
  const app = express();
  app.use(
    session({
      store,
      secret: SECRET,
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: 600_000 },
      ...(genid && { genid: () => genid() }),
    }),
  );
  app.get('/logout', (request: Request, response, next) => {
    request.session.destroy((error) => (error ? next(error) : response.json({})));
  });
  app.get('/regenerate/:user', (request: Request, response, next) => {
    request.session.regenerate((error) => {
      if (error) return next(error);
      response.json(visit(request.session as unknown as Fields, 'login', request.params.user as string));
    });
  });
  app.get(['/:page', '/:page/:value'], (request: Request, response) => {
    const { page, value } = request.params as { page: string; value?: string };
    response.json(visit(request.session as unknown as Fields, page, value));
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Opens a process with Fastify. */
export async function openFastify(
  store: fastifySession.SessionStore,
  idGenerator?: () => string,
): Promise<ShopProcess> {
  const app = Fastify();
  await app.register(fastifyCookie);
  await app.register(fastifySession, {
    store,
    secret: SECRET,
    cookie: { secure: false, maxAge: 600_000 },
    saveUninitialized: false,
    ...(idGenerator && { idGenerator }),
  });
  if (store instanceof FastifyStore) await app.register(sessionwise, {});
  app.get('/logout', async (request) => {
    await request.session.destroy();
    return {};
  });
  app.get<{ Params: { user: string } }>('/regenerate/:user', async (request) => {
    await request.session.regenerate();
    return visit(request.session as unknown as Fields, 'login', request.params.user);
  });
  const show = async (request: { session: unknown; params: unknown }): Promise<unknown> => {
    const { page, value } = request.params as { page: string; value?: string };
    return visit(request.session as Fields, page, value);
  };
  app.get('/:page', show);
  app.get('/:page/:value', show);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return { url, close: () => app.close() };
}

/** A browser with one cookie, which a balancer sends to any process. */
export class MovingBrowser {
  cookie: string | undefined;

  constructor(cookie?: string) {
    this.cookie = cookie;
  }

  /** What a page says; fails where it was not 200. */
  async get({ url }: ShopProcess, path: string): Promise<unknown> {
    const response = await fetch(url + path, {
      headers: this.cookie === undefined ? {} : { cookie: this.cookie },
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
    const [pair] = response.headers.getSetCookie().at(-1)?.split(';') ?? [];
    if (pair !== undefined) this.cookie = pair.endsWith('=') ? undefined : pair;
    return JSON.parse(text);
  }
}
