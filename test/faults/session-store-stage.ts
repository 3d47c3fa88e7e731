import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type NextFunction, type Request, type Response } from 'express';
import session from 'express-session';
import { SessionStore, type SessionStoreOptions } from '../../src/adapters/express/index.ts';

/* session-store-stage.ts: a shop with logins on a SessionStore, and visitors of it with cookies. */

declare module 'express-session' {
  interface SessionData {
    user?: string;
    cart?: string[];
    views?: number;
  }
}

/** What a visitor got. */
export interface Answer {
  readonly status: number;
  readonly body: {
    readonly user?: string;
    readonly cart?: string[];
    readonly degraded?: boolean;
    /** Of the error that reached the application's error handler. */
    readonly code?: string;
  };
  readonly cookies: readonly string[];
}

/** The shop, and what it and its store have told. */
export interface Site {
  readonly url: string;
  readonly store: SessionStore;
  /** `store:down`, `store:up`, `disconnect` and `connect`, in order. */
  readonly told: string[];
  /** Operations that a store that fails open has given up. */
  readonly degraded: string[];
  /** Codes of errors that reached the error handler, those included that came after the headers were sent. */
  readonly errors: string[];
  /** How long the store kept express-session waiting, in milliseconds, for each thing that it was asked. */
  readonly waits: number[];
  /** Called between a request's load and its handler. */
  meanwhile: () => Promise<void> | void;
  close(): Promise<void>;
}

export const SITE_SECRET = 'a secret of the tests';

/** Opens the shop on a free port. Sessions have no cookie age, so a cookie is sent only where a session begins. */
export async function openSite(
  options: SessionStoreOptions,
  more: Partial<session.SessionOptions> = {},
): Promise<Site> {
  const store = new SessionStore(options);
  const told: string[] = [];
  for (const event of ['store:down', 'store:up', 'disconnect', 'connect']) {
    (store as NodeJS.EventEmitter).on(event, () => told.push(event));
  }
  const degraded: string[] = [];
  store.on('degraded', ({ operation }) => degraded.push(operation));
  const app = express();
  app.use(
    session({ store, genid: store.genid, secret: SITE_SECRET, resave: false, saveUninitialized: false, ...more }),
  );
  app.use(async (_request, _response, next) => {
    await site.meanwhile();
    next();
  });
  addRoutes(app);
  app.use((error: Error & { code?: string; status?: number }, _: Request, response: Response, __: NextFunction) => {
    site.errors.push(error.code ?? String(error));
    if (!response.headersSent) response.status(error.status ?? 500).json({ code: error.code });
  });
  const server = app.listen(0, '127.0.0.1');
  // A connection that rests while the machine is busy must not be closed under a request.
  server.keepAliveTimeout = 60_000;
  await once(server, 'listening');
  const site: Site = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    store,
    told,
    degraded,
    errors: [],
    waits: measureWaits(store),
    meanwhile: () => undefined,
    async close() {
      server.closeAllConnections();
      server.close();
      await store.close();
    },
  };
  return site;
}

function measureWaits(store: SessionStore): number[] {
  const waits: number[] = [];
  type Asked = (...args: unknown[]) => unknown;
  const asked = store as unknown as Record<'get' | 'set' | 'touch' | 'destroy', Asked>;
  for (const name of ['get', 'set', 'touch', 'destroy'] as const) {
    const ask = asked[name].bind(store);
    asked[name] = (...args) => {
      const callback = args.at(-1);
      if (typeof callback !== 'function') return ask(...args);
      const began = performance.now();
      return ask(...args.slice(0, -1), (...results: unknown[]) => {
        waits.push(performance.now() - began);
        callback(...results);
      });
    };
  }
  return waits;
}

function addRoutes(app: express.Express): void {
  const show = ({ session: of }: Request, response: Response): void => {
    response.json({ user: of.user, cart: of.cart, degraded: of.isDegraded() });
  };
  app.get('/', show);
  // Saved by express-session at the end of the request.
  app.post('/cart/:item', (request, response) => {
    request.session.cart = [...(request.session.cart ?? []), request.params.item];
    show(request, response);
  });
  // Saved by the application, which waits for it.
  app.post('/saved-cart/:item', (request, response, next) => {
    request.session.cart = [...(request.session.cart ?? []), request.params.item];
    request.session.save((error) => (error ? next(error) : show(request, response)));
  });
  app.post('/login/:user', (request, response, next) => {
    const { cart } = request.session;
    request.session.regenerate((error) => {
      if (error) return next(error);
      request.session.user = request.params.user;
      if (cart) request.session.cart = cart;
      request.session.save((failed) => (failed ? next(failed) : show(request, response)));
    });
  });
  app.post('/rotated-login/:user', async (request, response) => {
    await request.session.rotate();
    await request.session.identify(request.params.user);
    request.session.user = request.params.user;
    show(request, response);
  });
  app.post('/logout', (request, response, next) => {
    request.session.destroy((error) => (error ? next(error) : response.json({})));
  });
}

/** Someone with a cookie jar. */
export class Visitor {
  #site: Site;
  readonly #userAgent: string;
  /** `name=value`, as the last answer that set one said. */
  cookie: string | undefined;

  constructor(site: Site, cookie?: string, userAgent = 'test') {
    this.#site = site;
    this.cookie = cookie;
    this.#userAgent = userAgent;
  }

  /** Goes to another site with the same cookie, as behind a load balancer. */
  goTo(site: Site): void {
    this.#site = site;
  }

  async ask(method: 'GET' | 'POST', path: string): Promise<Answer> {
    const response = await fetch(this.#site.url + path, {
      method,
      headers: { 'user-agent': this.#userAgent, ...(this.cookie !== undefined && { cookie: this.cookie }) },
    });
    const text = await response.text();
    const cookies = response.headers.getSetCookie();
    if (cookies[0]) this.cookie = cookies[0].split(';')[0]!;
    return { status: response.status, body: JSON.parse(text), cookies };
  }

  get(path = '/'): Promise<Answer> {
    return this.ask('GET', path);
  }

  post(path: string): Promise<Answer> {
    return this.ask('POST', path);
  }
}

/** A visitor who is logged in and has one thing in the cart. */
export async function loggedIn(site: Site, user: string): Promise<Visitor> {
  const visitor = new Visitor(site);
  await visitor.post(`/cart/first-of-${user}`);
  const { status, cookies } = await visitor.post(`/login/${user}`);
  if (status !== 200 || cookies.length !== 1) throw new Error(`${user} could not log in: ${status}`);
  return visitor;
}

/** The token in a visitor's cookie. */
export function tokenIn(cookie: string | undefined): string {
  const value = decodeURIComponent(cookie?.split('=')[1] ?? '');
  return value.slice('s:'.length, value.lastIndexOf('.'));
}

/** What ends the process by default; the returned function gives what came and stops listening. */
export function watchForCrashes(): () => unknown[] {
  const crashes: unknown[] = [];
  const note = (reason: unknown): void => void crashes.push(reason);
  process.on('unhandledRejection', note).on('uncaughtException', note);
  return () => {
    process.off('unhandledRejection', note).off('uncaughtException', note);
    return crashes;
  };
}
