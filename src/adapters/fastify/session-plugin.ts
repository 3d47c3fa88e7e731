import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import type { SessionClient } from '../../client/session-client.ts';
import type { SessionHandle } from '../../client/session-handle.ts';
import { checkOptions, type OptionForms } from '../../protocol/check-options.ts';
import type { PageviewMode } from '../http/page-request.ts';
import { bearerOf, isDocument } from '../http/page-request.ts';
import { checkTokenStore, sessionOfToken, type TokenVerifier } from '../http/session-of-token.ts';
import { markInitialised } from '../index.ts';
import { SessionStore } from './session-store.ts';

/** What the plugin takes. */
export interface SessionPluginOptions {
  /** Without it there are no handles and no page views: then the plugin only looks after the sessions of a
   *  SessionStore. */
  readonly client?: SessionClient;
  /** The request's token; the session is made from it, and it goes nowhere else. What your function returns it has
   *  checked: `request => request.session.sessionId` takes no bearer tokens, `request => keyOf(request) ??
   *  request.session.sessionId` takes API keys of your own. Default: a bearer token of the Authorization header, else the
   *  id of @fastify/session, which has checked its signature. A bearer token counts only while `store` knows it. A token
   *  of our own form (`createToken`) is looked up there even where your function returned it. */
  readonly token?: (request: FastifyRequest) => string | undefined;
  /** The store that knows the bearer tokens. Default: that of @fastify/session, where it is a SessionStore. Without one
   *  a token of our own form is nobody's, and any other is taken as it comes: then refuse those that you did not issue
   *  before this plugin. */
  readonly store?: { readonly data: TokenVerifier };
  /** What is done with a page view: `publish` (default) counts it and waits for nothing; `request` counts it too and
   *  has the answer in `request.sessionwise.view`; `off` does nothing; a function chooses for each request. */
  readonly pageview?: PageviewMode | ((request: FastifyRequest) => PageviewMode);
  /** Whether a request is a page view at all. Default: GET, no prefetch, and a document where the browser says what it
   *  is. */
  readonly isPageview?: (request: FastifyRequest) => boolean;
  /** Marks a session as modified on its first view; else `saveUninitialized: false` gives each visit a new id. Default
   *  true. A request with a bearer token begins no session. */
  readonly trackAnonymous?: boolean;
}

/** A request with or without @fastify/session. */
type AnyRequest = FastifyRequest & {
  sessionwise: SessionHandle | undefined;
  readonly session?: { readonly sessionId?: string; readonly cookie?: { readonly secure?: unknown } } & Record<
    string,
    unknown
  >;
  readonly sessionStore?: unknown;
};

declare module 'fastify' {
  interface FastifyRequest {
    /** This session's handle. Set by Sessionwise's plugin; undefined where the request has no token, came with the
     *  previous secret, or its session could not be read. */
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
    checkTokenStore(options.store);
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

  const attachHandle = (request: AnyRequest, session: string, isOwn: boolean): void => {
    if (!client) return;
    const handle = client.session(session);
    request.sessionwise = handle;
    if (!isPageview(request)) return;
    const mode = typeof pageview === 'function' ? pageview(request) : pageview;
    if (isOwn && trackAnonymous && mode !== 'off' && request.session) markInitialised(request.session);
    const page = request.originalUrl;
    if (mode === 'request') handle.view = handle.pageview(page);
    else if (mode === 'publish') void handle.publishPageview(page);
  };

  let hasHinted = process.env.NODE_ENV === 'production';
  const hint = ({ protocol, session }: AnyRequest): void => {
    if (hasHinted || protocol === 'https' || session?.cookie?.secure !== true) return;
    hasHinted = true;
    process.emitWarning(
      '@fastify/session neither saves a session nor sends its cookie for a request over http while cookie.secure is true, its default. For development give it cookie: { secure: "auto" }; behind a proxy that speaks https, Fastify({ trustProxy: true }).',
      { type: 'SessionwiseWarning', code: 'SESSIONWISE_INSECURE_REQUEST' },
    );
  };

  app.decorateRequest('sessionwise', undefined);
  app.addHook('onReady', (done) => done(misplaced(app, isBehindSession)));
  app.addHook('onRequest', (incoming, reply, done) => {
    const request = incoming as AnyRequest;
    const ownStore = ownStoreOf(request);
    ownStore?.attach(request, reply as FastifyReply);
    hint(request);
    const own = request.session?.sessionId;
    const given = token ? token(request) : (bearerOf(request) ?? own);
    // Within a grace the previous secret reads the data of before, and nothing else; of a degraded session nobody has
    // checked the secret.
    if (given === own && (ownStore?.info(request)?.byPreviousSecret || ownStore?.isDegraded(request))) {
      done();
      return;
    }
    if (given && given !== own) ownStore?.leaveUnsaved(request);
    const session =
      client &&
      sessionOfToken(given, { own, isChecked: token !== undefined, store: (options.store ?? ownStore)?.data });
    if (session instanceof Promise) session.then(proceed, done);
    else proceed(session);

    function proceed(verified: string | undefined): void {
      try {
        if (verified !== undefined) attachHandle(request, verified, given === own);
      } catch (error) {
        // Of a function that the application gave.
        done(error as Error);
        return;
      }
      done();
    }
  });
  app.addHook('onResponse', (request, _reply, done) => {
    ownStoreOf(request as AnyRequest)?.renewAnonymous(request);
    done();
  });
  registered();
};

/** Fastify plugin: attaches the session's handle as `request.sessionwise`, counts the page view, and looks after the
 *  sessions of a SessionStore (see there). For the handle it waits for nothing (but, within the store's deadline, for what
 *  the store says of a bearer token) and never fails a request. Register it behind @fastify/session, in
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
