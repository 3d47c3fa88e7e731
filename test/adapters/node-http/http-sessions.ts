import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type AnswerHead,
  addHeadersAtHead,
  type HandleOptions,
  type HeaderLine,
  SessionCookie,
  type SessionCookieOptions,
  type SessionHandle,
  type SessionStoreOptions,
  type WebExchange,
  type WebKnowledge,
  WebRequest,
  type WebSession,
  WebSessionStore,
  webKnowledge,
  whenAnswered,
} from '../../../src/adapters/index.ts';

/* http-sessions.ts: sessions for plain `node:http`, an adapter in one file. */

/** A request whose session was opened. */
export interface HttpRequest extends IncomingMessage {
  /** Undefined after `destroy`. */
  session?: WebSession;
  sessionwise?: SessionHandle;
}

export interface HttpSessionsOptions extends SessionStoreOptions {
  /** `client`, and how page views are counted. Default: no handles. */
  readonly handle?: HandleOptions<HttpRequest>;
  /** Default: `sid`, until the browser is closed. */
  readonly cookie?: SessionCookieOptions;
}

export class HttpSessions extends WebSessionStore<HttpRequest> {
  readonly #cookie: SessionCookie;
  readonly #knowledge: WebKnowledge<HttpRequest>;

  constructor({ cookie, handle = {}, ...options }: HttpSessionsOptions) {
    super(options);
    this.#cookie = new SessionCookie('HttpSessions', { ...(cookie && { cookie }) });
    this.#knowledge = webKnowledge('HttpSessions', handle, this);
  }

  /** Opens the session of a request and attaches the handle. Call it before the handler. Returns whether the request was one of
   *  the script for pages, which is answered then. */
  async begin(request: HttpRequest, response: ServerResponse): Promise<boolean> {
    const exchange = new HttpExchange(request, response);
    await this.open(request, exchange, this.#cookie);
    const page = new WebRequest(request, exchange, this, (handle) => {
      request.sessionwise = handle;
    });
    const { attacher, script } = this.#knowledge;
    const body = (): AsyncIterable<Uint8Array> => request.iterator({ destroyOnReturn: false });
    const answer = await script?.answer(request, page, true, body);
    if (answer) response.writeHead(answer.status, answer.headers).end(answer.body);
    else await attacher.attach(request, page);
    return answer !== undefined;
  }
}

class HttpExchange implements WebExchange {
  readonly #request: HttpRequest;
  readonly #response: ServerResponse;

  constructor(request: HttpRequest, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
  }

  get method(): string | undefined {
    return this.#request.method;
  }

  get url(): string {
    return this.#request.url ?? '/';
  }

  get isSecure(): boolean {
    return 'encrypted' in this.#request.socket;
  }

  get isHeadSent(): boolean {
    return this.#response.headersSent;
  }

  header(name: string): string | undefined {
    return [this.#request.headers[name]].flat()[0];
  }

  beforeHead(linesFor: (head: AnswerHead) => readonly HeaderLine[]): void {
    addHeadersAtHead(this.#response, linesFor);
  }

  whenAnswered(listener: (statusCode: number) => void): void {
    whenAnswered(this.#response, listener);
  }

  attachSession(session: object | undefined): void {
    if (session) this.#request.session = session as WebSession;
    else delete this.#request.session;
  }
}
