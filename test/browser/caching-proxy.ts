import { once } from 'node:events';
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/* caching-proxy.ts: what stands between browsers and a site. It keeps answers that shared caches may keep, as a CDN does, and
 * notes what it passed on. */

interface Kept {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

export class CachingProxy {
  /** Method and path of each request that the site got. */
  readonly passed: string[] = [];
  /** Each message of the script for pages that the site got. */
  readonly messages: Record<string, unknown>[] = [];
  /** Whether it sends each message a second time, as after a connection that broke. */
  repeatsMessages = false;
  /** Whether it removes what it does not know from answers. */
  dropsMarks = false;
  readonly #kept = new Map<string, Kept>();
  readonly #server = createServer((incoming, response) => {
    // A browser that is closed breaks off what is under way.
    this.#serve(incoming, response).catch(() => response.destroy());
  });
  readonly #siteUrl: string;

  private constructor(siteUrl: string) {
    this.#siteUrl = siteUrl;
  }

  /** Starts one in front of a site. */
  static async start(siteUrl: string): Promise<CachingProxy> {
    const proxy = new CachingProxy(siteUrl);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Pages that messages named as shown. */
  get views(): string[] {
    return this.messages.filter(({ view }) => view !== undefined).map(({ view }) => String(view));
  }

  /** How many messages said that a page is still looked at. */
  activeOf(page: string): number {
    return this.messages.filter(({ active }) => active === page).length;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = incoming;
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const kept = method === 'GET' ? this.#kept.get(url) : undefined;
    const isMessage = method === 'POST' && url.endsWith('/view');
    this.passed.push(...(kept ? [] : [`${method} ${url}`]));
    if (isMessage) this.messages.push(JSON.parse(body.toString()) as Record<string, unknown>);
    const ask = (): Promise<Kept> => this.#ask(method, url, headers, body);
    const answer = kept ?? (await ask());
    if (isMessage && this.repeatsMessages) await ask();
    const control = String(answer.headers['cache-control'] ?? '');
    if (method === 'GET' && /\bs-maxage=\d/.test(control) && !answer.headers['set-cookie']) this.#kept.set(url, answer);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  #ask(method: string, path: string, headers: OutgoingHttpHeaders, body: Buffer): Promise<Kept> {
    return new Promise((resolve, reject) => {
      const sent = request(this.#siteUrl + path, { method, headers }, async (answer) => {
        const chunks: Buffer[] = [];
        for await (const chunk of answer) chunks.push(chunk as Buffer);
        const { connection: _, 'transfer-encoding': __, ...rest } = answer.headers;
        if (this.dropsMarks) delete rest['server-timing'];
        resolve({ status: answer.statusCode!, headers: rest, body: Buffer.concat(chunks) });
      });
      sent.on('error', reject).end(body);
    });
  }
}
