import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page as BrowserPage } from 'playwright-core';
import { type Service, type ServiceOptions, startService } from '../../dist/service/index.js';

/* shop-stage.ts: the shop, the service in this process or in one of its own, and a visitor with cookies. */

export const SHOP_SECRET = 'a-secret-for-tests-only';

const SHOP = new URL('../../examples/shop/', import.meta.url);
const CONFIG = fileURLToPath(new URL('sessionwise.json', SHOP));
const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Shop {
  readonly url: string;
  close(): Promise<void>;
}

interface ShopOptions {
  readonly redis: string;
  readonly port?: number;
  readonly deadlineMs?: number;
  readonly origin?: string;
  readonly demo?: boolean;
  readonly log?: (line: string) => void;
}

/** The shop as a user starts it, on a free port. */
export async function openShop(options: ShopOptions): Promise<Shop> {
  const { startShop } = (await import(new URL('shop.js', SHOP).href)) as {
    startShop(options: ShopOptions): Promise<Shop>;
  };
  return startShop({ port: 0, ...options });
}

/** The service in this process, with the shop's rules. */
export function openService(redis: string, options: Partial<ServiceOptions> = {}): Promise<Service> {
  const { $schema: _, ...rules } = JSON.parse(readFileSync(CONFIG, 'utf8'));
  return startService({ redis, secret: SHOP_SECRET, ...rules, ...options });
}

/** The service as a process of its own, so that it can be killed or stopped by a signal. */
export async function spawnService(redis: string): Promise<ChildProcess> {
  const child = runCli(['serve', '--redis', redis, '--config', CONFIG, '--log-level', 'error']);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The service ended with code ${code} while it started.`);
  });
  await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => {});
  return child;
}

/** Publishes a notice, as the README says. */
export async function publishNotice(redis: string, group: string, id: string, text: string): Promise<void> {
  const args = ['notices', 'publish', '--group', group, '--redis', redis, '--id', id, '--text', text];
  const [code] = await once(runCli(args), 'exit');
  if (code !== 0) throw new Error(`sessionwise notices publish ended with code ${code}.`);
}

function runCli(args: string[]): ChildProcess {
  return spawn(process.execPath, [CLI, ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, SESSIONWISE_SECRET: SHOP_SECRET },
  });
}

/** Ends a process of ours and waits for its end. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** What a page showed. */
export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** `live` or `degraded`, as the footer says. */
  readonly state: string | undefined;
  readonly totalPages: number;
  readonly uniquePages: number;
  /** The name in the header, as it is written there; undefined where nobody is logged in. */
  readonly name: string | undefined;
  /** The values of an attribute, in their order. */
  all(attribute: string): string[];
}

/** Someone who visits the shop with cookies and no browser. */
export class Visitor {
  readonly #shop: Shop;
  readonly #userAgent: string | undefined;
  #cookie: string | undefined;
  /** The cookie by which the browser is the same visitor; the session's is `cookie`. */
  #visitorCookie: string | undefined;
  /** How often the session's cookie was set, be it the same again. */
  cookiesSet = 0;
  /** Each token that a cookie brought, once. */
  readonly tokens: string[] = [];

  constructor(shop: Shop, options: { readonly userAgent?: string } = {}) {
    this.#shop = shop;
    this.#userAgent = options.userAgent;
  }

  /** What this visitor sends as a cookie now. */
  get cookie(): string | undefined {
    return this.#cookie;
  }

  /** What it sends as the visitor's cookie now. */
  get visitorCookie(): string | undefined {
    return this.#visitorCookie;
  }

  /** Puts cookies into the browser, as somebody does who prepares it for another one; undefined leaves one as it is. */
  plant({
    cookie,
    visitorCookie,
  }: {
    readonly cookie?: string | undefined;
    readonly visitorCookie?: string | undefined;
  }): this {
    this.#cookie = cookie ?? this.#cookie;
    this.#visitorCookie = visitorCookie ?? this.#visitorCookie;
    return this;
  }

  /** As a browser asks for a document; `init` wins. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const cookies = [this.#cookie, this.#visitorCookie].filter((cookie) => cookie !== undefined);
    const response = await fetch(this.#shop.url + path, {
      redirect: 'manual',
      ...init,
      headers: {
        'sec-fetch-dest': 'document',
        ...(this.#userAgent && { 'user-agent': this.#userAgent }),
        ...(cookies.length > 0 && { cookie: cookies.join('; ') }),
        ...init.headers,
      },
    });
    for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
    return response;
  }

  async get(path: string, init: RequestInit = {}): Promise<Page> {
    const response = await this.fetch(path, init);
    const body = await response.text();
    const { status, headers } = response;
    // What scripts make elements of is not shown.
    const shown = body.replace(/<template[\s\S]*?<\/template>/g, '');
    const all = (attribute: string): string[] =>
      [...shown.matchAll(new RegExp(` ${attribute}(?:="([^"]*)")?(?=[ >])`, 'g'))].map(([, value]) => value ?? '');
    return {
      status,
      headers,
      body,
      all,
      state: all('data-state')[0],
      totalPages: Number(all('data-total-pages')[0]),
      uniquePages: Number(all('data-unique-pages')[0]),
      name: /data-account="in">.*?<bdi>(.*?)<\/bdi>/.exec(body)?.[1],
    };
  }

  post(path: string, fields: [string, string][], headers: Record<string, string> = {}): Promise<Response> {
    return this.fetch(path, { method: 'POST', body: new URLSearchParams(fields), headers });
  }

  /** Puts one more of a product into the cart. */
  add(product: string): Promise<Response> {
    return this.post('/cart', [['product', product]]);
  }

  /** What is in the cart, as the page of it says. */
  async cart(): Promise<Record<string, number>> {
    const page = await this.get('/cart');
    const counts = page.all('data-count');
    return Object.fromEntries(page.all('data-line').map((slug, i) => [slug, Number(counts[i])]));
  }

  /** Logs in.
   *  @throws Error where the shop does not take it. */
  async logIn(name: string): Promise<void> {
    const response = await this.post('/login', [['name', name]]);
    if (response.status !== 303) throw new Error(`The login of ${name} was answered with ${response.status}.`);
  }

  #keep(setCookie: string): void {
    const pair = setCookie.split(';')[0]!;
    if (pair.startsWith('sessionwise=')) {
      this.#visitorCookie = pair.endsWith('=') ? undefined : pair;
      return;
    }
    const token = tokenOfCookie(pair.slice(pair.indexOf('=') + 1));
    this.cookiesSet += 1;
    // An empty one takes the cookie away.
    this.#cookie = token === '' ? undefined : pair;
    if (token !== '' && !this.tokens.includes(token)) this.tokens.push(token);
  }
}

/** The token in the value of a cookie, without express-session's signature. */
export function tokenOfCookie(value: string): string {
  const signed = decodeURIComponent(value).replace(/^s:/, '');
  return signed.slice(0, Math.max(0, signed.lastIndexOf('.')));
}

/** What a page's browser complains about, and what it asks of others than the shop; grows as it happens. Streams that end
 *  because something is away are opened again, and no complaint. */
export function complaintsOf(page: BrowserPage, shop: Shop): string[] {
  const complaints: string[] = [];
  const isOfStream = (url: string): boolean => url.startsWith(`${shop.url}/live/`) && !url.endsWith('.js');
  page.on('console', (message) => {
    if (!isOfStream(message.location().url)) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => {
    // The next page does not wait for this one's icon.
    const isLeft = request.failure()?.errorText === 'net::ERR_ABORTED';
    if (!isLeft && !isOfStream(request.url())) complaints.push(request.url());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(shop.url)) complaints.push(request.url());
  });
  return complaints;
}
