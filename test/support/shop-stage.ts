import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Combo, type Service, type ServiceOptions, startService } from '../../dist/service/index.js';

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
  const { combos } = JSON.parse(readFileSync(CONFIG, 'utf8')) as { combos: Combo[] };
  return startService({ redis, secret: SHOP_SECRET, combos, ...options });
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
export async function notify(redis: string, group: string, id: string, text: string): Promise<void> {
  const [code] = await once(runCli(['notify', group, '--redis', redis, '--id', id, '--text', text]), 'exit');
  if (code !== 0) throw new Error(`sessionwise notify ended with code ${code}.`);
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
  /** The values of an attribute, in their order. */
  all(attribute: string): string[];
}

/** Someone who visits the shop with cookies and no browser. */
export class Visitor {
  readonly #shop: Shop;
  #cookie: string | undefined;
  /** How often a cookie was set. */
  cookiesSet = 0;

  constructor(shop: Shop) {
    this.#shop = shop;
  }

  /** As a browser asks for a document; `init` wins. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(this.#shop.url + path, {
      redirect: 'manual',
      ...init,
      headers: { 'sec-fetch-dest': 'document', ...(this.#cookie && { cookie: this.#cookie }), ...init.headers },
    });
    const [cookie] = response.headers.getSetCookie();
    if (cookie) {
      this.#cookie = cookie.split(';')[0]!;
      this.cookiesSet += 1;
    }
    return response;
  }

  async get(path: string, init: RequestInit = {}): Promise<Page> {
    const response = await this.fetch(path, init);
    const body = await response.text();
    const { status, headers } = response;
    const all = (attribute: string): string[] =>
      [...body.matchAll(new RegExp(` ${attribute}(?:="([^"]*)")?(?=[ >])`, 'g'))].map(([, value]) => value ?? '');
    return {
      status,
      headers,
      body,
      all,
      state: all('data-state')[0],
      totalPages: Number(all('data-total-pages')[0]),
      uniquePages: Number(all('data-unique-pages')[0]),
    };
  }

  post(path: string, fields: [string, string][]): Promise<Response> {
    return this.fetch(path, { method: 'POST', body: new URLSearchParams(fields) });
  }
}
