import type { AnswerHead, HeaderLine } from '../http/add-headers-at-head.ts';

/** A request and its answer, as the adapter of a framework without sessions of its own shows them. */
export interface WebExchange {
  readonly method?: string | undefined;
  /** Path and query as the browser asked for them. */
  readonly url: string;
  /** Whether the request came over https, as the framework says: behind a proxy with its setting to trust that. */
  readonly isSecure: boolean;
  /** Whether the head of the answer was written, and can carry no cookie any more. */
  readonly isHeadSent: boolean;
  /** Returns the value of a header of the request; the name is in lower case. */
  header(name: string): string | undefined;
  /** Has `linesFor` called once when the head of the answer is about to be written, and adds the lines that it returns to
   *  those of others. Called several times for a request. With a response of Node: `addHeadersAtHead`. */
  beforeHead(linesFor: (head: AnswerHead) => readonly HeaderLine[]): void;
  /** Has the listener called with the answer's status when all of it was given to the connection, and not called where it
   *  broke off. With a response of Node: `whenAnswered(response, listener)`. */
  whenAnswered(listener: (statusCode: number) => void): void;
  /** Gives the request its session: at the beginning, and again when another one takes its place. Undefined: it has ended. */
  attachSession(session: object | undefined): void;
}
