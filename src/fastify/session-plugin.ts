import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { SessionClient } from '../client/session-client.ts';
import type { SessionHandle } from '../client/session-handle.ts';
import { markInitialised } from '../http/mark-initialised.ts';
import type { PageviewMode } from '../http/page-request.ts';
import { bearerOf, isDocument } from '../http/page-request.ts';
import { sessionOfBearer } from '../http/verified-session.ts';
import { checkOptions, type OptionForms } from '../protocol/check-options.ts';
import { sessionOf } from '../protocol/index.ts';
import type { SessionData } from '../store/index.ts';
import { SessionStore } from './session-store.ts';

/** What the plugin takes. */
export interface SessionPluginOptions {
  /** Without it there are no handles and no page views: then the plugin only looks after the sessions of a
   *  SessionStore. */
  readonly client?: SessionClient;
  /** The request's token; the session is made from it, and it goes nowhere else. A function of yours has checked it.
   *  Default: a bearer token of the Authorization header, else the id of @fastify/session, which has checked its
   *  signature. A bearer token of our own form (`createToken`) counts only where `store` knows its secret; any other is
   *  taken as it comes, so an API refuses those it did not issue before this plugin. */
  readonly token?: (request: FastifyRequest) => string | undefined;
  /** The store whose sessions bearer tokens of our own form belong to. Default: that of @fastify/session, where it is a
   *  SessionStore; else such a token is nobody's. */
  readonly store?: { readonly data: Pick<SessionData, 'load'> };
  /** What is done with a page view: `publish` (default) counts it and waits for nothing; `request` counts it too and
   *  has the answer in `request.sessionwise.view`; `off` does nothing; a function chooses for each request. */
  readonly pageview?: PageviewMode | ((request: FastifyRequest) => PageviewMode);
  /** Whether a request is a page view at all. Default: GET, no prefetch, and a document where the browser says what it
   *  is. */
  readonly isPageview?: (request: FastifyRequest) => boolean;
  /** Marks a session as modified on its first view; else `saveUninitialized: false` gives each visit a new id. Default
   *  true. */
  readonly trackAnonymous?: boolean;
}

/** A request with or without @fastify/session. */
type AnyRequest = FastifyRequest & {
  sessionwise: SessionHandle | undefined;
  readonly session?: { readonly sessionId?: string } & Record<string, unknown>;
  readonly sessionStore?: unknown;
};

declare module 'fastify' {
  interface FastifyRequest {
    /** This session's handle. Set by Sessionwise's plugin; undefined where the request has no token. */
    sessionwise: SessionHandle | undefined;
  }
}

const OPTIONS: OptionForms<SessionPluginOptions & { prefix?: unknown; logLevel?: unknown; logSerializers?: unknown }> =
  {
    client: 'object',
    token: 'function',
    store: 'object',
    pageview: '"publish"|"request"|"off"|function',
    isPageview: 'function',
    trackAnonymous: 'boolean',
    // Fastify's own.
    prefix: 'any',
    logLevel: 'any',
    logSerializers: 'any',
  };

const plugin: FastifyPluginCallback<SessionPluginOptions> = (app, options, registered) => {
  try {
    checkOptions('sessionwise', options, OPTIONS);
  } catch (error) {
    registered(error as RangeError);
    return;
  }
  const { client, token, pageview = 'publish', isPageview = isDocument, trackAnonymous = true } = options;
  const isBehindSession = app.hasRequestDecorator('session');
  if (client ? typeof client.session !== 'function' : !isBehindSession) {
    registered(
      new RangeError(
        'sessionwise needs a client: app.register(sessionwise, { client: new SessionClient({ redis }) }). Without one, register it behind @fastify/session.',
      ),
    );
    return;
  }

  const attachHandle = (request: AnyRequest, session: string): void => {
    if (!client) return;
    const handle = client.session(session);
    request.sessionwise = handle;
    if (!isPageview(request)) return;
    const mode = typeof pageview === 'function' ? pageview(request) : pageview;
    if (trackAnonymous && mode !== 'off' && request.session) markInitialised(request.session);
    const page = request.originalUrl;
    if (mode === 'request') handle.view = handle.pageview(page);
    else if (mode === 'publish') void handle.publishPageview(page);
  };
  const sessionOfRequest = (request: AnyRequest): ReturnType<typeof sessionOfBearer> => {
    const bearer = token ? undefined : bearerOf(request);
    if (bearer !== undefined) return sessionOfBearer(bearer, (options.store ?? ownStoreOf(request))?.data);
    const secret = token ? token(request) : request.session?.sessionId;
    return secret === undefined || secret === '' ? undefined : sessionOf(secret);
  };

  app.decorateRequest('sessionwise', undefined);
  app.addHook('onReady', (done) => done(misplaced(app, isBehindSession)));
  app.addHook('onRequest', (request, reply, done) => {
    ownStoreOf(request as AnyRequest)?.attach(request, reply as FastifyReply);
    const session = client && sessionOfRequest(request as AnyRequest);
    if (session instanceof Promise) session.then(proceed, done);
    else proceed(session);

    function proceed(verified: string | undefined): void {
      try {
        if (verified !== undefined) attachHandle(request as AnyRequest, verified);
      } catch (error) {
        // Of a function that the application gave.
        done(error as Error);
        return;
      }
      done();
    }
  });
  registered();
};

/** Fastify plugin: attaches the session's handle as `request.sessionwise`, counts the page view, and looks after the
 *  sessions of a SessionStore (see there). For the handle it waits for nothing (but, within the store's deadline, for what
 *  the store says of a bearer token of our own form) and never fails a request. Register it behind @fastify/session, in
 *  the same place.
 *  @throws RangeError where there is neither a client nor @fastify/session, or an option is unknown or of the wrong type. */
export const sessionwise: FastifyPluginCallback<SessionPluginOptions> = Object.assign(plugin, {
  // As fastify-plugin does it: hooks and decorators hold where it is registered, and not only within it.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'sessionwise',
  [Symbol.for('plugin-meta')]: { name: 'sessionwise', fastify: '5.x' },
});

function ownStoreOf({ sessionStore }: AnyRequest): SessionStore | undefined {
  return sessionStore instanceof SessionStore ? sessionStore : undefined;
}

function misplaced(app: FastifyInstance, isBehindSession: boolean): Error | undefined {
  if (isBehindSession || !app.hasRequestDecorator('session')) return undefined;
  return new Error(
    'sessionwise was registered before @fastify/session, so it would see no session: register it after it.',
  );
}
