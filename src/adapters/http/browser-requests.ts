import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HandleAttacher, HandleRequest } from './attach-handle.ts';
import { isSameOrigin, MAX_BEACON_BYTES, parseBeacon } from './beacon.ts';
import type { BrowserScript } from './browser-script.ts';
import { type PlainAnswer, scriptAnswer } from './script-answer.ts';

const MOST_READ_AT_ONCE = 256;
const READ_DEADLINE_MS = 5_000;

/** A request of Node, behind parsers of the site or not. */
type NodeRequest = IncomingMessage & { readonly body?: unknown };

/** Answers the requests of the script for pages: for its text, and with its messages. Answers to messages are empty, so
 *  nothing can be read off them. */
export class BrowserRequests<Request extends object> {
  readonly #attacher: HandleAttacher<Request>;
  readonly #script: BrowserScript;
  #reading = 0;

  constructor(attacher: HandleAttacher<Request>, script: BrowserScript) {
    this.#attacher = attacher;
    this.#script = script;
  }

  /** Path of the messages. */
  get beaconPath(): string {
    return `${this.#script.path}view`;
  }

  /** What a request is for: the script's text, a message, or neither (undefined). */
  purposeOf(url: string): 'script' | 'beacon' | undefined {
    const { path } = this.#script;
    if (!url.startsWith(path)) return undefined;
    const name = url.slice(path.length).split('?', 1)[0]!;
    if (name === 'view') return 'beacon';
    return /^[\w-]+\.js$/.test(name) ? 'script' : undefined;
  }

  /** Answers a request for the script's text. `hasSession`: whether a session's cookie may come with the answer. */
  script(url: string, ifNoneMatch: string | undefined, hasSession: boolean): PlainAnswer {
    return scriptAnswer(this.#script, url.split('?', 1)[0]!, { ifNoneMatch, isPrivate: hasSession });
  }

  /** Takes a message. Its view or minute counts when the empty answer has ended. Returns the answer's status.
   *  @throws errors of the functions in the middleware's options. */
  async beacon(request: Request, page: HandleRequest<Request>, text: string | undefined): Promise<number> {
    if (!isSameOrigin((name) => page.header(name))) return 403;
    const beacon = text === undefined ? undefined : parseBeacon(text);
    if (!beacon) return 400;
    await this.#attacher.attach(request, page, beacon);
    return 204;
  }

  /** Answers a request of Node, if it is one of the script's; whether it is. `failed` is called with errors of the functions
   *  in the middleware's options. */
  answer(
    request: Request & NodeRequest,
    response: ServerResponse,
    page: HandleRequest<Request>,
    failed: (error: unknown) => void,
  ): boolean {
    const purpose = this.purposeOf(page.url);
    if (purpose === undefined) return false;
    const { method } = request;
    if (purpose === 'script') {
      if (method !== 'GET' && method !== 'HEAD') return false;
      const { status, headers, body } = this.script(page.url, page.header('if-none-match'), 'session' in request);
      response.writeHead(status, headers).end(method === 'HEAD' ? undefined : body);
      return true;
    }
    if (method !== 'POST') response.writeHead(405, { Allow: 'POST' }).end();
    else this.#answerBeacon(request, response, page).catch(failed);
    return true;
  }

  async #answerBeacon(
    request: Request & NodeRequest,
    response: ServerResponse,
    page: HandleRequest<Request>,
  ): Promise<void> {
    const end = (status: number): void => {
      response.writeHead(status, { 'Cache-Control': 'no-store' });
      // What was not read is not waited for.
      response.end(() => request.readableEnded || request.destroy());
    };
    // Before anything is read.
    if (!isSameOrigin((name) => page.header(name))) return end(403);
    if (Number(page.header('content-length') ?? 0) > MAX_BEACON_BYTES) return end(413);
    if (this.#reading >= MOST_READ_AT_ONCE) return end(503);
    this.#reading += 1;
    let text: string | undefined;
    try {
      text = await bodyOf(request);
    } finally {
      this.#reading -= 1;
    }
    end(await this.beacon(request, page, text));
  }
}

// Undefined where the body is too long, too slow or broken off.
function bodyOf(request: NodeRequest): Promise<string | undefined> {
  const { body } = request;
  // A parser of the site has read it.
  if (typeof body === 'string' || Buffer.isBuffer(body)) return Promise.resolve(body.toString());
  if (request.readableEnded) return Promise.resolve(body === undefined ? undefined : JSON.stringify(body));
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (text: string | undefined): void => {
      clearTimeout(timer);
      request.off('data', take).off('end', all).off('close', none).off('error', none);
      resolve(text);
    };
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > MAX_BEACON_BYTES) settle(undefined);
      else chunks.push(chunk);
    };
    const all = (): void => settle(Buffer.concat(chunks).toString());
    const none = (): void => settle(undefined);
    const timer = setTimeout(none, READ_DEADLINE_MS);
    request.on('data', take).on('end', all).on('close', none).on('error', none);
  });
}
