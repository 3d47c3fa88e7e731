import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import express from 'express';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import {
  createSessionwise,
  type KnowledgeOptions,
  type LiveOptions,
  liveScript,
} from '../../src/adapters/express/index.ts';
import type { SessionwiseOptions } from '../../src/adapters/index.ts';
import { BROWSER_ARGS } from '../support/find-browser.ts';
import { waitUntil } from '../support/wait-until.ts';

/* live-site.ts: a site whose pages listen, a wire to it that can be cut, and browsers of several devices. */

export const SECRET = 'a secret of the tests, long enough';
/** A name of this machine that browsers do not trust without https, so that pages have no locks. */
export const PLAIN_HOST = 'site.test';
const STEP_DEADLINE_MS = 30_000;
// A browser without a window calls itself a robot.
const USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'";
const script = liveScript();
/** The page's own script: notes what it is told, and shows the count. */
const PAGE = `
  window.told = [];
  for (const event of ['notice', 'edited', 'withdrawn', 'suggestion', 'open', 'stale', 'logged-out']) {
    sessionwise.on(event, (data) => told.push([event, data.id ?? data.rule ?? '']));
  }
  sessionwise.on('unread', (unread, { unseen }) => {
    document.querySelector('output').textContent = unread + '/' + unseen;
  });
`;

/** What a site is opened with. */
export interface LiveSiteOptions {
  readonly redis: string;
  readonly service?: SessionwiseOptions['service'];
  readonly knowledge?: KnowledgeOptions<express.Request>;
  readonly live?: LiveOptions;
}

let sites = 0;

/** A site whose pages listen. */
export class LiveSite {
  sw: ReturnType<typeof createSessionwise>;
  /** The group of all visitors, another one for each site. */
  readonly group: string;
  /** Method and status of each request for a stream, in the order of their answers. */
  readonly asked: [method: string, status: number][] = [];
  /** How many streams are open. */
  open = 0;
  readonly #options: LiveSiteOptions;
  readonly #sockets = new Set<Socket>();
  readonly #wire = createServer((client) => this.#pass(client));
  #port = 0;
  #isCut = false;
  #server: ReturnType<express.Express['listen']> | undefined;

  constructor(options: LiveSiteOptions) {
    this.#options = options;
    sites += 1;
    this.group = `news-${sites}`;
    this.sw = this.#make();
  }

  #make(): ReturnType<typeof createSessionwise> {
    const { redis, service } = this.#options;
    return createSessionwise({
      redis,
      secret: SECRET,
      deadlineMs: 5_000,
      store: { sweep: false },
      ...(service !== undefined && { service }),
    });
  }

  /** Opens the site. */
  async start(): Promise<this> {
    await this.#serve();
    this.#wire.listen(0, '127.0.0.1');
    await once(this.#wire, 'listening');
    return this;
  }

  /** Puts another process in the place of this one, as a deploy does: the new one knows nothing of streams. */
  async replace(): Promise<void> {
    const closed = once(this.#server!, 'close');
    this.#server!.close();
    await closed;
    await this.sw.close();
    this.sw = this.#make();
    await this.#serve();
  }

  async #serve(): Promise<void> {
    const { knowledge = {}, live = {} } = this.#options;
    const app = express();
    app.use(this.sw.session({ secret: SECRET }));
    app.use(this.sw.knowledge({ groups: () => [this.group], ...knowledge }));
    app.use('/live', (request, response, next) => {
      const isStream = request.method === 'GET' && request.path === '/';
      const { writeHead } = response;
      response.writeHead = function (this: typeof response, ...args: unknown[]) {
        const result = Reflect.apply(writeHead, this, args);
        if (request.path !== '/') return result;
        asked.push([request.method, this.statusCode]);
        if (isStream && this.statusCode === 200) {
          site.open += 1;
          response.once('close', () => {
            site.open -= 1;
          });
        }
        return result;
      } as typeof writeHead;
      next();
    });
    const { asked } = this;
    const site = this;
    app.use('/live', this.sw.live(live));
    this.#addPages(app);
    this.#server = app.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    expect(await this.sw.client.ready()).toBe(true);
  }

  get port(): number {
    return (this.#wire.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Cuts all connections, and takes none until `mend`. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.#wire.close();
    this.#server?.close();
    await this.sw.close();
    this.#server?.closeAllConnections();
  }

  #addPages(app: express.Express): void {
    const html = `<!doctype html><title>t</title><output></output>${script.tag}<script src="/page.js" defer></script>`;
    app.use((_request, response, next) => {
      response.set({ 'Content-Security-Policy': POLICY, 'Cache-Control': 'private, no-cache' });
      next();
    });
    app.get('/page.js', (_request, response) => void response.type('js').send(PAGE));
    app.get('/login/:user', async (request, response) => {
      await request.session.identify(request.params.user!);
      response.send(html);
    });
    app.get('/logout', (request, response, next) => {
      request.session.destroy((error: unknown) => (error ? next(error) : response.send(html)));
    });
    app.get('/read/:notice', async (request, response) => {
      await request.sessionwise.notices.markRead([request.params.notice!]);
      response.send(html);
    });
    app.get('/without', (_request, response) => void response.send('<!doctype html><title>t</title>'));
    app.get('/p/:name', (_request, response) => void response.send(html));
  }

  #pass(client: Socket): void {
    if (this.#isCut) {
      client.destroy();
      return;
    }
    const server = connect(this.#port, '127.0.0.1');
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      socket.pipe(other);
    }
  }
}

/** Sites and browsers, closed with each test. */
export class LiveStage {
  #browser: Browser | undefined;
  #closing: (() => unknown)[] = [];

  /** Registers its hooks. */
  constructor(executablePath: string) {
    beforeAll(async () => {
      this.#browser = await chromium.launch({
        executablePath,
        args: [...BROWSER_ARGS, `--user-agent=${USER_AGENT}`, `--host-resolver-rules=MAP ${PLAIN_HOST} 127.0.0.1`],
        ignoreDefaultArgs: ['--disable-back-forward-cache'],
      });
    });
    afterEach(async () => {
      for (const close of this.#closing.splice(0).reverse()) await close();
    });
    afterAll(() => this.#browser?.close());
  }

  async site(options: LiveSiteOptions): Promise<LiveSite> {
    const site = new LiveSite(options);
    this.#closing.push(() => site.close());
    return site.start();
  }

  /** Opens another device: cookies and tabs of its own. */
  async device(options: Parameters<Browser['newContext']>[0] = {}): Promise<BrowserContext> {
    const context = await this.#browser!.newContext(options);
    this.#closing.push(() => context.close());
    context.setDefaultTimeout(STEP_DEADLINE_MS);
    return context;
  }

  /** Opens a tab and waits until it is live. */
  async tab(context: BrowserContext, url: string): Promise<Page> {
    const page = await context.newPage();
    await page.goto(url);
    await live(page);
    return page;
  }
}

/** Waits until a page has its counts. */
export function live(page: Page): Promise<void> {
  return waitUntil('the page is live', async () => (await badge(page)) !== '');
}

/** What a page shows: `unread/unseen`. */
export async function badge(page: Page): Promise<string> {
  return (await page.locator('output').textContent()) ?? '';
}

/** Waits until a page shows this. */
export function shows(page: Page, text: string, deadlineMs?: number): Promise<void> {
  return waitUntil(`a badge of ${text}`, async () => (await badge(page)) === text, deadlineMs);
}

/** Waits until a page was told so many events of a kind, and returns what they are about. */
export async function until(page: Page, event: string, count = 1): Promise<string[]> {
  await waitUntil(`${count} x ${event}`, async () => (await toldOf(page, event)).length >= count);
  return toldOf(page, event);
}

/** The events of a kind that a page was told, by what they are about. */
export async function toldOf(page: Page, event: string): Promise<string[]> {
  const told = (await page.evaluate('told')) as [string, string][];
  return told.filter(([name]) => name === event).map(([, id]) => id);
}
