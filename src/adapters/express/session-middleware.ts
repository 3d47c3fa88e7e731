import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type AnswerHead,
  addHeadersAtHead,
  BrowserRequests,
  HandleAttacher,
  type HandleOptions,
  type HandleRequest,
  type HeaderLine,
  type SessionClient,
  type SessionHandle,
  whenAnswered,
} from '../index.ts';
import { BrowserAnswers } from './answer-browser.ts';
import { SessionStore } from './session-store.ts';

/** Request that the middleware takes: Express's, with or without express-session. */
export interface SessionRequest extends IncomingMessage {
  originalUrl?: string;
  /** Whether it came over https, as Express says with its setting `trust proxy`. */
  secure?: boolean;
  sessionID?: string;
  session?: object;
  sessionStore?: unknown;
  sessionwise?: SessionHandle;
}

/** Options of the middleware. Bearer tokens are looked up in `store`, by default in express-session's store where that is
 *  a SessionStore. */
export interface SessionMiddlewareOptions<Request extends SessionRequest = SessionRequest>
  extends HandleOptions<Request> {
  readonly client: SessionClient;
}

declare global {
  namespace Express {
    interface Request {
      /** The handle of whom the request is asked as: the person who is logged in, or the browser's visitor. Set by
       *  Sessionwise's middleware for every request; it answers `undefined` where there is no visitor (no consent, a
       *  robot), the request came with the previous secret, or its session could not be read. */
      sessionwise: SessionHandle;
    }
  }
}

/** Express middleware: attaches the handle of the visitor or of the person as `request.sessionwise`, keeps the visitor's
 *  cookie and counts the page view. It waits for nothing (but, within the store's deadline, for what the store says of a
 *  bearer token) and fails a request only by an error of a function that you gave. Mount it behind express-session, and
 *  behind what sets the user (`passport.session()`), and before the pages.
 *  @throws RangeError where no client is given, or an option is unknown or of the wrong type. */
export function sessionwise<Request extends SessionRequest = SessionRequest>(
  options: SessionMiddlewareOptions<Request>,
): (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void {
  return attachingHandles('sessionwise()', options);
}

/** Makes the middleware. `owner`: its name in messages.
 *  @throws RangeError as `sessionwise` does. */
export function attachingHandles<Request extends SessionRequest>(
  owner: string,
  options: SessionMiddlewareOptions<Request>,
): (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void {
  const attacher = new HandleAttacher<Request>(owner, options);
  if (typeof options.client?.session !== 'function')
    throw new RangeError('sessionwise() needs a client: sessionwise({ client: new SessionClient({ redis }) }).');

  const browser = options.script && new BrowserAnswers(new BrowserRequests(attacher, options.script));

  return (request, response, next) => {
    const page = new ExpressPage(request, response);
    if (browser?.answer(request, response, page, next)) return;
    let attached: Promise<void> | undefined;
    try {
      attached = attacher.attach(request, page);
    } catch (error) {
      // Of a function that the site gave.
      next(error);
      return;
    }
    // In another turn: an error of the page must not look like one of ours.
    if (attached) attached.then(() => process.nextTick(next), next);
    else next();
  };
}

/** A request, as HandleAttacher asks it. */
export class ExpressPage implements HandleRequest<SessionRequest> {
  readonly #request: SessionRequest;
  readonly #response: ServerResponse;
  readonly #hadSession: boolean;

  constructor(request: SessionRequest, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    this.#hadSession = request.session !== undefined;
  }

  get method(): string | undefined {
    return this.#request.method;
  }

  get url(): string {
    return this.#request.originalUrl ?? this.#request.url ?? '/';
  }

  get isSecure(): boolean {
    const { secure, socket } = this.#request;
    return secure ?? (socket as { encrypted?: boolean } | undefined)?.encrypted === true;
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return typeof value === 'string' ? value : undefined;
  }

  // `destroy` takes the session off the request and leaves the id.
  get ownToken(): string | undefined {
    const { session, sessionID } = this.#request;
    return this.#hadSession && !session ? undefined : sessionID;
  }

  get ownStore(): SessionStore | undefined {
    const { sessionStore } = this.#request;
    return sessionStore instanceof SessionStore ? sessionStore : undefined;
  }

  attach(handle: SessionHandle): void {
    this.#request.sessionwise = handle;
  }

  beforeHead(linesFor: (head: AnswerHead) => readonly HeaderLine[]): void {
    addHeadersAtHead(this.#response, linesFor);
  }

  whenAnswered(listener: (statusCode: number) => void): void {
    whenAnswered(this.#response, listener);
  }
}
