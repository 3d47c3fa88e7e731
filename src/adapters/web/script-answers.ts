import { withDeadline } from '../../async/index.ts';
import type { BrowserRequests } from '../http/browser-requests.ts';
import type { HandleRequest } from '../http/handle-request.ts';
import type { PlainAnswer } from '../http/script-answer.ts';

const MOST_READ_AT_ONCE = 256;
const READ_DEADLINE_MS = 5_000;

/** The body of a request: a stream of Node or of the web, or what a parser has read. */
export type BodySource = AsyncIterable<Uint8Array> | string | undefined;

/** Answers the requests of the script for pages. It reads at most 256 messages at the same time, each for 5 seconds. */
export class ScriptAnswers<Request extends object> {
  readonly #browser: BrowserRequests<Request>;
  #reading = 0;

  constructor(browser: BrowserRequests<Request>) {
    this.#browser = browser;
  }

  /** Returns the answer to a request of the script; undefined where it is none. `hasSession`: whether a session's cookie may
   *  come with the answer. `bodyOf`: is called only for a message that is to be read.
   *  @throws errors of the functions in the middleware's options. */
  async answer(
    request: Request,
    page: HandleRequest<Request>,
    hasSession: boolean,
    bodyOf: () => BodySource,
  ): Promise<PlainAnswer | undefined> {
    const { url, method } = page;
    const purpose = this.#browser.purposeOf(url);
    if (purpose === undefined) return undefined;
    if (purpose === 'script') {
      if (method !== 'GET' && method !== 'HEAD') return undefined;
      const answer = this.#browser.script(url, page.header('if-none-match'), hasSession);
      return method === 'HEAD' ? { ...answer, body: '' } : answer;
    }
    if (method !== 'POST') return { status: 405, headers: { Allow: 'POST' }, body: '' };
    const status = await this.#take(request, page, bodyOf);
    return { status, headers: { 'Cache-Control': 'no-store' }, body: '' };
  }

  async #take(request: Request, page: HandleRequest<Request>, bodyOf: () => BodySource): Promise<number> {
    const refusal = this.#browser.refusal(page) ?? (this.#reading >= MOST_READ_AT_ONCE ? 503 : undefined);
    if (refusal !== undefined) return refusal;
    this.#reading += 1;
    const text = await this.#read(bodyOf()).finally(() => {
      this.#reading -= 1;
    });
    return this.#browser.take(request, page, text);
  }

  // Undefined where the body is too long, too slow or broken off.
  async #read(body: BodySource): Promise<string | undefined> {
    if (body === undefined || typeof body === 'string') return body;
    return withDeadline(
      textOf(body, this.#browser.maxBytes).catch(() => undefined),
      READ_DEADLINE_MS,
      () => undefined,
    );
  }
}

async function textOf(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
