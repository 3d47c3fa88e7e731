import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Express, type Request as ExpressRequest } from 'express';
import session from 'express-session';
import { SessionStore, type SessionStoreOptions } from '../../../src/adapters/express/index.ts';

/** An Express application with sessions, behind a real server. */
export interface ServedStore {
  readonly url: string;
  readonly store: SessionStore;
  /** Errors that reached the application's error handler. */
  readonly errors: Error[];
  stop(): Promise<void>;
}

export type SetUp = (app: Express, store: SessionStore) => void;

/** Serves what `setUp` adds to an application of Express 5, or of `createApp`. Answers errors with their status, or 500, and their message. */
export async function serveStore(
  options: SessionStoreOptions,
  sessionOptions: Partial<session.SessionOptions>,
  setUp: SetUp,
  createApp: () => Express = express,
): Promise<ServedStore> {
  const store = new SessionStore({ sweep: false, deadlineMs: 20_000, ...options });
  const app = createApp();
  const errors: Error[] = [];
  app.use(
    session({
      store,
      secret: 'a secret for tests, and only for them',
      resave: false,
      saveUninitialized: false,
      genid: store.genid,
      ...sessionOptions,
    }),
  );
  setUp(app, store);
  const answerError: ErrorRequestHandler = (error: Error & { status?: number }, _request, response, next) => {
    errors.push(error);
    if (response.headersSent) return next(error);
    response.status(error.status ?? 500).send(error.message);
  };
  app.use(answerError);
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    store,
    errors,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await store.close();
    },
  };
}

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0';

/** A browser with the session's cookie, and the visitor's: it sends what it was last given. */
export class Visitor {
  readonly #url: string;
  /** As it is sent; undefined before the first one. */
  cookie: string | undefined;
  #visitorCookie: string | undefined;
  /** How many cookies it was given. */
  cookiesSet = 0;
  /** The whole of the last Set-Cookie. */
  lastSetCookie = '';

  constructor({ url }: Pick<ServedStore, 'url'>, cookie?: string) {
    this.#url = url;
    this.cookie = cookie;
  }

  /** GET; what hangs fails. */
  async get(path: string): Promise<Response> {
    const response = await this.getKeepingCookie(path);
    const all = response.headers.getSetCookie();
    const isVisitors = (cookie: string): boolean => cookie.startsWith('sessionwise=');
    const visitors = all.find(isVisitors)?.split(';')[0];
    if (visitors !== undefined) this.#visitorCookie = visitors.endsWith('=') ? undefined : visitors;
    const given = all.filter((cookie) => !isVisitors(cookie));
    if (given.length > 1) throw new Error(`${given.length} cookies at once.`);
    if (given[0] !== undefined) {
      this.cookiesSet += 1;
      this.lastSetCookie = given[0];
      this.cookie = given[0].split(';')[0]!;
    }
    return response;
  }

  /** GET, and takes no cookie of the answer. */
  getKeepingCookie(path: string): Promise<Response> {
    const cookies = [this.cookie, this.#visitorCookie].filter((cookie) => cookie !== undefined);
    return fetch(this.#url + path, {
      headers: { 'user-agent': BROWSER, ...(cookies.length > 0 && { cookie: cookies.join('; ') }) },
      signal: AbortSignal.timeout(20_000),
    });
  }

  async json(path: string): Promise<unknown> {
    const response = await this.get(path);
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  async text(path: string): Promise<string> {
    return (await this.get(path)).text();
  }
}

/** The token in a cookie header. */
export function tokenIn(cookie: string | undefined): string {
  const signed = decodeURIComponent(cookie?.split('=')[1] ?? '');
  return signed.slice(2, signed.lastIndexOf('.'));
}

/** What the application sees of a session: its fields without the cookie. */
export function fieldsOf(values: object): Record<string, unknown> {
  const { cookie: _, ...fields } = values as Record<string, unknown>;
  return fields;
}

/** The fields of a request's session, to be set. */
export function fieldsIn(request: ExpressRequest): Record<string, unknown> {
  return request.session as unknown as Record<string, unknown>;
}
