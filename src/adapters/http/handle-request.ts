import type { SessionHandle } from '../../client/index.ts';
import type { AnswerHead, HeaderLine } from './add-headers-at-head.ts';
import type { PageRequest } from './page-request.ts';
import type { TokenVerifier } from './session-of-token.ts';

/** A request, as its adapter shows it to `HandleAttacher`. */
export interface HandleRequest<Request> extends PageRequest {
  /** Path and query as the browser asked for them, and not as a router or a rewrite has left them. */
  readonly url: string;
  /** Whether it came over https, as the framework says: behind a proxy with its setting to trust that. */
  readonly isSecure: boolean;
  /** Token of the session that the framework has for the request at this moment; undefined where it has none, or none any
   *  more. Make it a getter: it is read again when the answer has ended. */
  readonly ownToken: string | undefined;
  /** Store of the framework's session, where it is one of ours: a RequestStore. */
  readonly ownStore: HandleStore<Request> | undefined;
  /** Sets `request.sessionwise`. Called for every request, and again when somebody logs in within it. */
  attach(handle: SessionHandle): void;
  /** Has `linesFor` called once when the head of the answer is about to be written, and adds the header lines that it
   *  returns to those of others. It may be called twice for a request. With a response of Node: `addHeadersAtHead`. */
  beforeHead(linesFor: (head: AnswerHead) => readonly HeaderLine[]): void;
  /** Has the listener called with the answer's status when all of the answer was given to the connection, and not called
   *  where it broke off. With a response of Node: `whenAnswered(response, listener)`. Called at page views
   *  that count then. */
  whenAnswered(listener: (statusCode: number) => void): void;
}

/** Part of a RequestStore that attaching a handle needs. */
export interface HandleStore<Request> {
  readonly data: TokenVerifier;
  /** Says what is known of the request's session; undefined where it was never saved. */
  info(
    request: Request,
  ): { readonly session: string; readonly byPreviousSecret: boolean; readonly userId: string | undefined } | undefined;
  /** Says whether the session could not be read, and an empty one stands in. */
  isDegraded(request: Request): boolean;
  /** Keeps the request's empty session from being saved: another token acts for it. */
  leaveUnsaved(request: Request): void;
  /** Calls the listener when the request's session is given to a user. */
  whenIdentified(request: Request, listener: (userId: string) => void): void;
}
