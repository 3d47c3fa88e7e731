import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BrowserRequests, HandleRequest } from '../index.ts';

const MOST_READ_AT_ONCE = 256;
const READ_DEADLINE_MS = 5_000;

/** A request of Node, behind parsers of the site or not. */
type NodeRequest = IncomingMessage & { readonly body?: unknown };

/** Answers the requests of the script for pages on Node's responses. It reads at most 256 messages at the same time, each for
 *  5 seconds. */
export class BrowserAnswers<Request extends NodeRequest> {
  readonly #browser: BrowserRequests<Request>;
  #reading = 0;

  constructor(browser: BrowserRequests<Request>) {
    this.#browser = browser;
  }

  /** Answers a request if it is one of the script's; whether it is. `failed` is called with errors of the functions in the
   *  middleware's options. */
  answer(
    request: Request,
    response: ServerResponse,
    page: HandleRequest<Request>,
    failed: (error: unknown) => void,
  ): boolean {
    const purpose = this.#browser.purposeOf(page.url);
    if (purpose === undefined) return false;
    const { method } = request;
    if (purpose === 'message') {
      if (method === 'POST') this.#takeMessage(request, response, page).catch(failed);
      else response.writeHead(405, { Allow: 'POST' }).end();
      return true;
    }
    if (method !== 'GET' && method !== 'HEAD') return false;
    const { status, headers, body } = this.#browser.script(
      page.url,
      page.header('if-none-match'),
      'session' in request,
    );
    response.writeHead(status, headers).end(method === 'HEAD' ? undefined : body);
    return true;
  }

  async #takeMessage(request: Request, response: ServerResponse, page: HandleRequest<Request>): Promise<void> {
    const browser = this.#browser;
    const isFull = this.#reading >= MOST_READ_AT_ONCE;
    let status = browser.refusal(page) ?? (isFull ? 503 : undefined);
    if (status === undefined) {
      this.#reading += 1;
      const text = await bodyOf(request, browser.maxBytes).finally(() => {
        this.#reading -= 1;
      });
      status = await browser.take(request, page, text);
    }
    response.writeHead(status, { 'Cache-Control': 'no-store' }).end();
  }
}

// Undefined where the body is too long, too slow or broken off.
function bodyOf(request: NodeRequest, maxBytes: number): Promise<string | undefined> {
  const { body } = request;
  // A parser of the site has read it.
  if (typeof body === 'string' || Buffer.isBuffer(body)) return Promise.resolve(body.toString());
  if (request.readableEnded) return Promise.resolve(body === undefined ? undefined : JSON.stringify(body));
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (text: string | undefined): void => {
      clearTimeout(timer);
      // The rest is thrown away, as Node does it where nothing reads a body.
      request.off('data', take).off('end', all).off('close', none).off('error', none).resume();
      resolve(text);
    };
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > maxBytes) settle(undefined);
      else chunks.push(chunk);
    };
    const all = (): void => settle(Buffer.concat(chunks).toString());
    const none = (): void => settle(undefined);
    const timer = setTimeout(none, READ_DEADLINE_MS);
    request.on('data', take).on('end', all).on('close', none).on('error', none);
  });
}
