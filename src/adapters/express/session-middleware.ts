import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  HandleAttacher,
  type HandleOptions,
  markInitialised,
  type SessionClient,
  type SessionHandle,
} from '../index.ts';
import { SessionStore } from './session-store.ts';

/** Request that the middleware takes: Express's, with or without express-session. */
export interface SessionRequest extends IncomingMessage {
  originalUrl?: string;
  sessionID?: string;
  session?: object;
  sessionStore?: unknown;
  sessionwise?: SessionHandle;
}

/** Options of the middleware. Bearer tokens are looked up in `store`, by default in express-session's store where that is
 *  a SessionStore; `trackAnonymous` marks an express-session as initialised. */
export interface SessionMiddlewareOptions<Request extends SessionRequest = SessionRequest>
  extends HandleOptions<Request> {
  readonly client: SessionClient;
}

declare global {
  namespace Express {
    interface Request {
      /** This session's handle. Set by Sessionwise's middleware; undefined where the request has no token, came with the
       *  previous secret, or its session could not be read. */
      sessionwise?: SessionHandle;
    }
  }
}

/** Express middleware: attaches the session's handle as `request.sessionwise` and counts the page view. It waits for
 *  nothing (but, within the store's deadline, for what the store says of a bearer token) and never fails a request. Mount
 *  it behind express-session and before the pages.
 *  @throws RangeError where no client is given, or an option is unknown or of the wrong type. */
export function sessionwise<Request extends SessionRequest = SessionRequest>(
  options: SessionMiddlewareOptions<Request>,
): (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void {
  const attacher = new HandleAttacher<Request>('sessionwise()', options);
  if (typeof options.client?.session !== 'function')
    throw new RangeError('sessionwise() needs a client: sessionwise({ client: new SessionClient({ redis }) }).');

  return (request, _response, next) => {
    let attached: Promise<void> | undefined;
    try {
      attached = attacher.attach(request, {
        method: request.method,
        url: request.originalUrl ?? request.url ?? '/',
        header: (name) => headerOf(request, name),
        ownToken: request.sessionID,
        ownStore: request.sessionStore instanceof SessionStore ? request.sessionStore : undefined,
        attach(handle) {
          request.sessionwise = handle;
        },
        track() {
          if (request.session) markInitialised(request.session);
        },
      });
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

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}
