import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type Request } from 'express';
import session from 'express-session';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import {
  browserScript,
  type SessionMiddlewareOptions,
  SessionStore,
  sessionwise,
} from '../../src/adapters/express/index.ts';
import { SessionClient, sessionOf } from '../../src/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { BROWSER_ARGS } from '../support/find-browser.ts';
import type { UsedRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { CachingProxy } from './caching-proxy.ts';

/* script-site.ts: a site whose pages hold the script, a cache in front of it, and browsers. */

export const SECRET = 'a secret of the tests, long enough';
const STEP_DEADLINE_MS = 30_000;
// A browser without a window calls itself a robot.
const USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'";
/** A clock on which each second of the page takes a minute. */
const FAST_CLOCK = `
  const [begin, { setInterval: later }] = [Date.now(), window];
  Date.now = () => begin + 60 * performance.now();
  window.setInterval = (work, ms) => later(work, ms / 60);
`;

const script = browserScript();

/** Options of the middleware, beside those that the stage gives. */
export type SiteOptions = Partial<SessionMiddlewareOptions<Request>>;

/** A site as the browser sees it. */
export interface ScriptSite {
  readonly url: string;
  readonly proxy: CachingProxy;
}

/** Sites, browsers, and a service that counts. */
export class ScriptStage {
  readonly #redis: UsedRedis;
  #service: Service | undefined;
  #client: SessionClient | undefined;
  #browser: Browser | undefined;
  #closing: (() => unknown)[] = [];

  /** Registers its hooks. */
  constructor(redis: UsedRedis, executablePath: string) {
    this.#redis = redis;
    beforeAll(async () => {
      this.#service = await startService({ redis: redis.url, secret: SECRET, acceptTimes: true });
      this.#client = new SessionClient({ redis: redis.url, deadlineMs: 20_000 });
      expect(await this.#client.ready()).toBe(true);
      this.#browser = await chromium.launch({
        executablePath,
        args: [...BROWSER_ARGS, `--user-agent=${USER_AGENT}`],
        ignoreDefaultArgs: ['--disable-back-forward-cache'],
      });
    });
    afterEach(async () => {
      for (const close of this.#closing.splice(0).reverse()) await close();
    });
    afterAll(async () => {
      await this.#browser?.close();
      await this.#client?.close();
      await this.#service?.stop();
    });
  }

  get client(): SessionClient {
    return this.#client!;
  }

  get browser(): Browser {
    return this.#browser!;
  }

  /** Opens a site, which is closed with the test. */
  async open(options: SiteOptions = {}): Promise<ScriptSite> {
    const store = new SessionStore({ redis: this.#redis.url, sweep: false });
    const app = express();
    app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: false }));
    app.use(sessionwise<Request>({ client: this.client, script, ...options }));
    addPages(app);
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = await CachingProxy.start(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    this.#closing.push(async () => {
      proxy.close();
      server.closeAllConnections();
      server.close();
      await store.close();
    });
    return { url: proxy.url, proxy };
  }

  /** Opens another browser: cookies and caches of its own. */
  async arrive(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await this.browser.newContext(options);
    this.#closing.push(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(STEP_DEADLINE_MS);
    return page;
  }

  /** Returns the views of the visitor that a browser is, or of an id. */
  async totalOf(of: BrowserContext | string): Promise<number | undefined> {
    const id = typeof of === 'string' ? of : await visitorOf(of);
    return id === undefined ? undefined : (await this.client.session(id).figures())?.totalPages;
  }

  /** Waits until a browser's visitor has so many views, and leaves its page, with which the last messages go: then there
   *  must not be more. */
  async expectTotal(site: ScriptSite, page: Page, total: number): Promise<void> {
    const context = page.context();
    await waitUntil(`${total} views`, async () => (await this.totalOf(context)) === total);
    await page.goto('about:blank');
    // Behind all that the page has sent.
    await fetch(`${site.url}/without`);
    expect(await this.totalOf(context)).toBe(total);
  }
}

/** Returns the id of the visitor that a browser is; undefined where it has no cookie of one. */
export async function visitorOf(context: BrowserContext): Promise<string | undefined> {
  const cookie = (await context.cookies()).find(({ name }) => name === 'sessionwise');
  return cookie && sessionOf(cookie.value.split('.')[0]!);
}

function addPages(app: express.Express): void {
  const html = (body: string): string => `<!doctype html><title>t</title>${body}`;
  app.use((_request, response, next) => {
    response.set('Content-Security-Policy', POLICY);
    next();
  });
  app.get('/clock.js', (_request, response) => void response.type('js').send(FAST_CLOCK));
  app.get('/missing', (_request, response) => void response.status(404).send(html(script.tag)));
  app.get('/cdn/:name', (_request, response) => {
    response.set('Cache-Control', 'public, s-maxage=600').send(html(script.tag));
  });
  app.get('/kept/:name', (_request, response) => {
    response.set('Cache-Control', 'private, max-age=600').send(html(script.tag));
  });
  app.get('/clock/:name', (_request, response) => {
    response.set('Cache-Control', 'private, no-cache').send(html(`<script src="/clock.js"></script>${script.tag}`));
  });
  app.get('/twice', (_request, response) => {
    response.set('Cache-Control', 'private, no-cache').send(html(`${script.tag}${script.tag}`));
  });
  app.get('/without', (_request, response) => void response.set('Cache-Control', 'private, no-cache').send(html('')));
  app.get('/rules.json', (_request, response) => {
    const rules = { prefetch: [{ urls: ['/p/ahead'], eagerness: 'immediate' }] };
    response.type('application/speculationrules+json').send(JSON.stringify(rules));
  });
  app.get('/ahead', (_request, response) => {
    response.set({ 'Cache-Control': 'private, no-cache', 'Speculation-Rules': '"/rules.json"' });
    response.send(html(script.tag));
  });
  app.get('/login/:user', async (request, response) => {
    await request.session.identify(request.params.user!);
    response.send(html(script.tag));
  });
  app.get('/logout', (request, response, next) => {
    request.session.destroy((error: unknown) => (error ? next(error) : response.send(html(script.tag))));
  });
  app.get('/p/:name', async (request, response) => {
    const { sessionwise: handle } = request;
    const items = ['/p/a', '/p/b', '/spa/x', '/p/never'];
    const [unseen, visit, notices] = await Promise.all([
      handle.unseen(items),
      handle.visit(),
      handle.notices.annotate(['n1', 'n2']),
    ]);
    response.set('Cache-Control', 'private, no-cache');
    response.send(html(`<p>${JSON.stringify({ unseen, visit, notices })}</p>${script.tag}`));
  });
  app.get('/read/:notice', async (request, response) => {
    await request.sessionwise.notices.markRead([request.params.notice!]);
    response.send(html(script.tag));
  });
}
