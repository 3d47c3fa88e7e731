import type { SessionHandle } from '../../client/index.ts';
import type { AnswerHead, HeaderLine } from '../http/add-headers-at-head.ts';
import type { HandleRequest } from '../http/handle-request.ts';
import type { WebExchange } from './web-exchange.ts';
import type { WebSessionStore } from './web-session-store.ts';

/** A request of a framework without sessions of its own, as HandleAttacher asks it. */
export class WebRequest<Request extends object> implements HandleRequest<Request> {
  readonly attach: (handle: SessionHandle) => void;
  readonly #request: Request;
  readonly #exchange: WebExchange;
  readonly #store: WebSessionStore<Request> | undefined;

  /** `store`: undefined where the site has no sessions of ours. `attach`: sets the handle of the request. */
  constructor(
    request: Request,
    exchange: WebExchange,
    store: WebSessionStore<Request> | undefined,
    attach: (handle: SessionHandle) => void,
  ) {
    this.#request = request;
    this.#exchange = exchange;
    this.#store = store;
    this.attach = attach;
  }

  get method(): string | undefined {
    return this.#exchange.method;
  }

  get url(): string {
    return this.#exchange.url;
  }

  get isSecure(): boolean {
    return this.#exchange.isSecure;
  }

  header(name: string): string | undefined {
    return this.#exchange.header(name);
  }

  get ownToken(): string | undefined {
    return this.#store?.tokenOf(this.#request);
  }

  get ownStore(): WebSessionStore<Request> | undefined {
    return this.#store?.hasOpened(this.#request) ? this.#store : undefined;
  }

  beforeHead(linesFor: (head: AnswerHead) => readonly HeaderLine[]): void {
    this.#exchange.beforeHead(linesFor);
  }

  whenAnswered(listener: (statusCode: number) => void): void {
    this.#exchange.whenAnswered(listener);
  }
}
