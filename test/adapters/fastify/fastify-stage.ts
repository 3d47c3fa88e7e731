import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import {
  type SessionPluginOptions,
  SessionStore,
  type SessionStoreOptions,
  sessionwise,
} from '../../../src/adapters/fastify/index.ts';
import { USER_AGENT } from '../suite/adapter-site.ts';

/* fastify-stage.ts: a site of Fastify with sessions, and browsers that visit it. */

/** A request's session as plain fields. */
export function fieldsOf(request: FastifyRequest): Record<string, unknown> {
  return request.session as unknown as Record<string, unknown>;
}

export const COOKIE_NAME = 'sessionId';
/** What signs the cookies of the sites. */
export const SITE_SECRET = 'a secret of the tests, and long enough';

/** What a browser was answered. */
export interface Answer {
  readonly status: number;
  /** As JSON, where it is. */
  readonly body: Record<string, unknown>;
  readonly text: string;
  /** The Set-Cookie headers, whole, but for the visitor's. */
  readonly setCookies: string[];
}

/** Someone with a cookie jar. */
export class Browser {
  readonly #app: FastifyInstance;
  /** The session's cookie as the jar holds it, `name=value`. */
  cookie: string | undefined;

  constructor(app: FastifyInstance, cookie?: string) {
    this.#app = app;
    this.cookie = cookie;
  }

  /** Asks as a browser does for a document; cookies that are set or cleared go into the jar when the answer comes. */
  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await this.#app.inject({
      url: path,
      headers: {
        'sec-fetch-dest': 'document',
        'user-agent': USER_AGENT,
        ...(this.cookie && { cookie: this.cookie }),
        ...headers,
      },
    });
    const all = [response.headers['set-cookie'] ?? []].flat();
    const setCookies = all.filter((cookie) => !cookie.startsWith('sessionwise='));
    for (const header of setCookies) {
      const [pair = ''] = header.split(';');
      if (!pair.startsWith(`${COOKIE_NAME}=`)) continue;
      this.cookie = pair === `${COOKIE_NAME}=` ? undefined : pair;
    }
    const text = response.body;
    return { status: response.statusCode, text, body: text.startsWith('{') ? response.json() : {}, setCookies };
  }

  /** The token in the jar: the cookie without its signature. */
  get token(): string {
    const value = decodeURIComponent(this.cookie!.slice(COOKIE_NAME.length + 1));
    return value.slice(0, value.lastIndexOf('.'));
  }
}

export interface SiteOptions {
  readonly store: SessionStoreOptions;
  readonly session?: Partial<fastifySession.FastifySessionOptions>;
  /** `false`: without the plugin. */
  readonly plugin?: SessionPluginOptions | false;
  readonly routes?: (app: FastifyInstance, store: SessionStore) => void;
}

export interface Site {
  readonly app: FastifyInstance;
  readonly store: SessionStore;
  browser(cookie?: string): Browser;
  close(): Promise<void>;
}

/** A site with a login: `/login/:name`, `/me`, `/logout`, and the routes of the test. */
export async function openSite(options: SiteOptions): Promise<Site> {
  const store = new SessionStore({ sweep: false, ...options.store });
  const app = Fastify();
  await app.register(fastifyCookie);
  await app.register(fastifySession, {
    secret: SITE_SECRET,
    cookie: { secure: false, maxAge: 600_000 },
    idGenerator: store.genid,
    ...options.session,
    store,
  });
  if (options.plugin !== false) await app.register(sessionwise, options.plugin ?? {});
  app.get<{ Params: { name: string } }>('/login/:name', async (request) => {
    fieldsOf(request).user = request.params.name;
    return { user: request.params.name };
  });
  app.get('/me', async (request) => ({ user: fieldsOf(request).user, degraded: store.isDegraded(request) }));
  app.get('/logout', async (request) => {
    await request.session.destroy();
    return {};
  });
  options.routes?.(app, store);
  await app.ready();
  return {
    app,
    store,
    browser: (cookie) => new Browser(app, cookie),
    async close() {
      await app.close();
      await store.close();
    },
  };
}

/** The sites of a test file: opened with the same store options, unless a test says otherwise, and closed together. */
export class Sites {
  readonly #store: SessionStoreOptions;
  readonly #opened: Site[] = [];

  constructor(store: SessionStoreOptions) {
    this.#store = store;
  }

  async open(
    options: Omit<SiteOptions, 'store'> & { readonly store?: Partial<SessionStoreOptions> } = {},
  ): Promise<Site> {
    const site = await openSite({ ...options, store: { ...this.#store, ...options.store } });
    this.#opened.push(site);
    return site;
  }

  async close(): Promise<void> {
    for (const site of this.#opened.splice(0)) await site.close();
  }
}

/** Something that a handler waits at until the test opens it. */
export class Gate {
  readonly #opened: Promise<void>;
  readonly #reached: Promise<void>;
  /** Lets everybody through. */
  open: () => void = () => {};
  #arrive: () => void = () => {};

  constructor() {
    this.#opened = new Promise((resolve) => {
      this.open = resolve;
    });
    this.#reached = new Promise((resolve) => {
      this.#arrive = resolve;
    });
  }

  /** Waits at the gate; for the handler. */
  pass(): Promise<void> {
    this.#arrive();
    return this.#opened;
  }

  /** Until a handler has come to the gate; for the test. */
  get reached(): Promise<void> {
    return this.#reached;
  }
}
