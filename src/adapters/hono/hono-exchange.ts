import type { Context } from 'hono';
import {
  type AnswerHead,
  type AnswerWriter,
  addHeadersAtHead,
  type HeaderLine,
  type HeadWriter,
  type WebExchange,
  whenAnswered,
} from '../index.ts';

/* hono-exchange.ts: on @hono/node-server the head and the end of an answer are seen on Node's response, which knows what
 * became of it, whatever other middlewares have made of the `Response`. Elsewhere (`app.request()`, other servers) they are
 * seen on the `Response` itself, when the outermost of our middlewares is left. */

/** Node's request and response, as @hono/node-server has them in `c.env`. */
interface NodeBindings {
  readonly incoming?: { readonly url?: string };
  readonly outgoing?: HeadWriter & AnswerWriter;
}

const EXCHANGES = new WeakMap<Context, HonoExchange>();

/** A request of Hono and its answer. All middlewares of a request share one. */
export class HonoExchange implements WebExchange {
  readonly #c: Context;
  readonly #node: NodeBindings;
  readonly #trustsProxy: boolean;
  readonly #heads: ((head: AnswerHead) => readonly HeaderLine[])[] = [];
  readonly #ends: ((statusCode: number) => void)[] = [];
  #isLeft = false;

  private constructor(c: Context, trustsProxy: boolean) {
    this.#c = c;
    this.#node = (c.env ?? {}) as NodeBindings;
    this.#trustsProxy = trustsProxy;
  }

  /** The exchange of a request. */
  static of(c: Context, trustsProxy: boolean): HonoExchange {
    let exchange = EXCHANGES.get(c);
    if (!exchange) {
      exchange = new HonoExchange(c, trustsProxy);
      EXCHANGES.set(c, exchange);
    }
    return exchange;
  }

  /** Runs a middleware of ours: the outermost one of a request, when it is left, gives the answer its lines. */
  static async run(
    c: Context,
    trustsProxy: boolean,
    work: (exchange: HonoExchange) => Promise<unknown>,
  ): Promise<void> {
    const isOutermost = !EXCHANGES.has(c);
    const exchange = HonoExchange.of(c, trustsProxy);
    try {
      const answer = await work(exchange);
      if (answer instanceof Response) c.res = answer;
    } catch (error) {
      // Hono makes an answer of the error behind us, and gives it the headers of this one.
      if (isOutermost) exchange.#addLines((error as { status?: number }).status ?? 500);
      throw error;
    }
    if (isOutermost) exchange.#leave();
  }

  get method(): string {
    return this.#c.req.method;
  }

  get url(): string {
    const { url } = this.#c.req;
    return this.#node.incoming?.url ?? url.slice(url.indexOf('/', url.indexOf('//') + 2));
  }

  get isSecure(): boolean {
    const forwarded = this.#trustsProxy ? this.header('x-forwarded-proto')?.split(',', 1)[0]?.trim() : undefined;
    return forwarded === undefined ? this.#c.req.url.startsWith('https:') : forwarded === 'https';
  }

  get isHeadSent(): boolean {
    return this.#node.outgoing?.headersSent ?? this.#isLeft;
  }

  header(name: string): string | undefined {
    return this.#c.req.header(name);
  }

  beforeHead(linesFor: (head: AnswerHead) => readonly HeaderLine[]): void {
    const { outgoing } = this.#node;
    if (outgoing) addHeadersAtHead(outgoing, linesFor);
    else this.#heads.push(linesFor);
  }

  whenAnswered(listener: (statusCode: number) => void): void {
    const { outgoing } = this.#node;
    if (outgoing) whenAnswered(outgoing, listener);
    else this.#ends.push(listener);
  }

  attachSession(session: object | undefined): void {
    this.#c.set('session', session);
  }

  #addLines(statusCode: number): void {
    const cacheControl = this.#c.res.headers.get('cache-control') ?? undefined;
    for (const linesFor of this.#heads.splice(0)) {
      for (const [name, value] of linesFor({ statusCode, cacheControl })) this.#c.header(name, value, { append: true });
    }
  }

  #leave(): void {
    if (this.#node.outgoing) return;
    this.#addLines(this.#c.res.status);
    this.#isLeft = true;
    if (this.#ends.length === 0) return;
    const { body, status, headers } = this.#c.res;
    const tell = (): void => {
      for (const listener of this.#ends) listener(status);
    };
    if (body) {
      // The end of the body counts where the answer was read to it.
      const watched = body.pipeThrough(new TransformStream({ flush: tell }));
      this.#c.res = new Response(watched, { status, headers });
    } else {
      queueMicrotask(tell);
    }
  }
}
