import {
  type AnswerHead,
  type HeaderLine,
  handleWithoutVisitor,
  type SessionHandle,
  type WebExchange,
} from '../index.ts';

/** Header by which the proxy tells pages the URL that the browser asked for: Next does not. */
export const PAGE_HEADER = 'x-sessionwise-page';

/** A request of Next, in the proxy, a page, an action or a route handler. The functions of the options are given it. */
export class NextVisit implements WebExchange {
  readonly method: string | undefined;
  /** Path and query. */
  readonly url: string;
  readonly headers: Headers;
  /** The session of the request; undefined where the site has none of ours, and once it was ended. */
  session: object | undefined;
  /** The handle of whom the request is asked as. */
  sessionwise: SessionHandle = handleWithoutVisitor();
  /** Whether the answer can carry no cookie: that of a server component. */
  readonly isHeadSent: boolean;
  /** Called with the status when the answer has ended. */
  readonly ends: ((statusCode: number) => void)[] = [];
  readonly #cookieHeader: string | undefined;
  readonly #heads: ((head: AnswerHead) => readonly HeaderLine[])[] = [];

  constructor(asked: {
    readonly method: string | undefined;
    readonly url: string;
    readonly headers: Headers;
    /** In place of the one in the headers: an action may have set cookies since. */
    readonly cookieHeader?: string | undefined;
    readonly isReadOnly: boolean;
  }) {
    this.method = asked.method;
    this.url = asked.url;
    this.headers = asked.headers;
    this.isHeadSent = asked.isReadOnly;
    this.#cookieHeader = asked.cookieHeader;
  }

  // Next fills the header in where no proxy has, and itself believes it.
  get isSecure(): boolean {
    return this.header('x-forwarded-proto')?.split(',', 1)[0]?.trim() === 'https';
  }

  header(name: string): string | undefined {
    return (name === 'cookie' ? this.#cookieHeader : undefined) ?? this.headers.get(name) ?? undefined;
  }

  beforeHead(linesFor: (head: AnswerHead) => readonly HeaderLine[]): void {
    this.#heads.push(linesFor);
  }

  whenAnswered(listener: (statusCode: number) => void): void {
    this.ends.push(listener);
  }

  attachSession(session: object | undefined): void {
    this.session = session;
  }

  /** Returns the lines for the head of the answer, whose status nobody knows here. */
  takeLines(): HeaderLine[] {
    return this.#heads.splice(0).flatMap((linesFor) => linesFor({ statusCode: 200, cacheControl: undefined }));
  }
}
