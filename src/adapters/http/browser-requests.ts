import { PAGE_SCRIPT } from '../../browser/index.ts';
import type { HandleAttacher } from './attach-handle.ts';
import { isSameOrigin, MAX_BEACON_BYTES, parseBeacon } from './beacon.ts';
import type { BrowserScript } from './browser-script.ts';
import type { HandleRequest } from './handle-request.ts';
import { type PlainAnswer, scriptAnswer } from './script-answer.ts';

/** Answers the requests of the script for pages: for its text, and with its messages. Answers to messages are empty, so
 *  nothing can be read off them. */
export class BrowserRequests<Request extends object> {
  /** Path of the messages, which are sent with POST. */
  readonly messagePath: string;
  /** The longest message, in bytes. */
  readonly maxBytes: number = MAX_BEACON_BYTES;
  readonly #attacher: HandleAttacher<Request>;
  readonly #script: BrowserScript;

  constructor(attacher: HandleAttacher<Request>, script: BrowserScript) {
    this.#attacher = attacher;
    this.#script = script;
    this.messagePath = `${script.path}view`;
  }

  /** What a request is for: the script's text, a message, or neither (undefined). */
  purposeOf(url: string): 'script' | 'message' | undefined {
    const { path } = this.#script;
    if (!url.startsWith(path)) return undefined;
    const pathname = url.split('?', 1)[0]!;
    if (pathname === this.messagePath) return 'message';
    return /^[\w-]+\.js$/.test(pathname.slice(path.length)) ? 'script' : undefined;
  }

  /** Answers a request for the script's text. `hasSession`: whether a session's cookie may come with the answer. */
  script(url: string, ifNoneMatch: string | undefined, hasSession: boolean): PlainAnswer {
    return scriptAnswer(PAGE_SCRIPT, url.split('?', 1)[0]!, { ifNoneMatch, isPrivate: hasSession });
  }

  /** Returns the status with which a message is refused before its body is read: 403 (of another origin) or 413 (too long);
   *  undefined for none. */
  refusal(page: HandleRequest<Request>): 403 | 413 | undefined {
    if (!isSameOrigin((name) => page.header(name))) return 403;
    return Number(page.header('content-length') ?? 0) > MAX_BEACON_BYTES ? 413 : undefined;
  }

  /** Takes a message: its view or minute counts when the answer has ended. Returns the status of the answer, which is to be
   *  empty: 204, whether it counts or not, or that of a refusal. `text`: the body; undefined where it could not be read.
   *  @throws errors of the functions in the middleware's options. */
  async take(request: Request, page: HandleRequest<Request>, text: string | undefined): Promise<number> {
    const refusal = this.refusal(page);
    if (refusal !== undefined) return refusal;
    const beacon = text === undefined ? undefined : parseBeacon(text);
    if (!beacon) return 400;
    await this.#attacher.attach(request, page, beacon);
    return 204;
  }
}
