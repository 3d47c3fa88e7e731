import type { Context } from 'koa';
import { type AnswerHead, addHeadersAtHead, type HeaderLine, type WebExchange, whenAnswered } from '../index.ts';

/** A request of Koa and its answer. */
export class KoaExchange implements WebExchange {
  readonly #ctx: Context;

  constructor(ctx: Context) {
    this.#ctx = ctx;
  }

  get method(): string {
    return this.#ctx.method;
  }

  get url(): string {
    return this.#ctx.originalUrl;
  }

  get isSecure(): boolean {
    return this.#ctx.secure;
  }

  get isHeadSent(): boolean {
    return this.#ctx.res.headersSent;
  }

  header(name: string): string | undefined {
    return [this.#ctx.headers[name]].flat()[0];
  }

  // On Node's response, because Koa drops all headers that were set where a handler throws.
  beforeHead(linesFor: (head: AnswerHead) => readonly HeaderLine[]): void {
    addHeadersAtHead(this.#ctx.res, linesFor);
  }

  whenAnswered(listener: (statusCode: number) => void): void {
    whenAnswered(this.#ctx.res, listener);
  }

  attachSession(session: object | undefined): void {
    this.#ctx.session = session;
  }
}
