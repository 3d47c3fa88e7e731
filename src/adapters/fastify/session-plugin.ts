import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import {
  type AnswerHead,
  addHeadersAtHead,
  BrowserRequests,
  HandleAttacher,
  type HandleOptions,
  type HandleRequest,
  type HeaderLine,
  noHandle,
  type SessionClient,
  type SessionHandle,
  warnOnce,
} from '../index.ts';
import { browserRoutes } from './browser-routes.ts';
import { SessionStore } from './session-store.ts';

/** Options of the plugin. Without `client` all handles answer `undefined` and no page views are counted: then the plugin
 *  only looks after the sessions of a SessionStore. Bearer tokens are looked up in `store`, by default in the store of
 *  @fastify/session where that is a SessionStore. With `user` the handle is attached behind all hooks `preValidation`, so
 *  that @fastify/passport has set the user by then; else in the hook `onRequest`. */
export type SessionPluginOptions = HandleOptions<FastifyRequest>;

/** Key of the listener that counts a request's view when its answer has ended. */
const ANSWERED = Symbol('sessionwise answered');

/** A request with or without @fastify/session. */
type AnyRequest = FastifyRequest & {
  [ANSWERED]: ((statusCode: number) => void) | undefined;
  sessionwise: SessionHandle;
  readonly session?: { readonly sessionId?: string; readonly cookie?: { readonly secure?: unknown } } & Record<
    string,
    unknown
  >;
  readonly sessionStore?: unknown;
};

declare module 'fastify' {
  interface FastifyRequest {
    /** The handle of whom the request is asked as: the person who is logged in, or the browser's visitor. Set by
     *  Sessionwise's plugin for every request; it answers `undefined` where there is no visitor (no consent, a robot), the
     *  request came with the previous secret, or its session could not be read. */
    sessionwise: SessionHandle;
  }
}

/** Options that Fastify adds to those of each plugin. */
const FASTIFY_OPTIONS = { prefix: 'any', logLevel: 'any', logSerializers: 'any' };

const plugin: FastifyPluginCallback<SessionPluginOptions> = (app, options, registered) => {
  const isBehindSession = app.hasRequestDecorator('session');
  let attacher: HandleAttacher<FastifyRequest>;
  try {
    attacher = new HandleAttacher('sessionwise', options, FASTIFY_OPTIONS);
    checkPlace(options.client, isBehindSession);
  } catch (error) {
    registered(error as RangeError);
    return;
  }
  const { script } = options;
  const browser = script && new BrowserRequests(attacher, script);
  const hint = insecureRequestHint();
  const attach = (request: AnyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    // Of messages only the body says what they are about.
    if (browser?.purposeOf(request.originalUrl) === 'message') {
      done();
      return;
    }
    let attached: Promise<void> | undefined;
    try {
      attached = attacher.attach(request, new FastifyPage(request, reply));
    } catch (error) {
      // Of a function that the application gave.
      done(error as Error);
      return;
    }
    if (attached) attached.then(() => done(), done);
    else done();
  };

  app.decorateRequest('sessionwise', undefined as never);
  app.decorateRequest(ANSWERED, undefined);
  app.addHook('onReady', (done) => done(misplaced(app, isBehindSession)));
  app.addHook('onRequest', (incoming, reply, done) => {
    const request = incoming as AnyRequest;
    ownStoreOf(request)?.attach(request, reply as FastifyReply);
    hint(request);
    request.sessionwise = noHandle();
    if (options.user) done();
    else attach(request, reply, done);
  });
  if (options.user) app.addHook('preHandler', (request, reply, done) => attach(request as AnyRequest, reply, done));
  app.addHook('onResponse', (incoming, { raw }, done) => {
    const request = incoming as AnyRequest;
    // The hook also comes where the response has failed.
    if (raw.writableFinished) request[ANSWERED]?.(raw.statusCode);
    ownStoreOf(request)?.renewAnonymous(request);
    done();
  });
  if (browser) {
    app.register(browserRoutes(browser, (request, reply) => new FastifyPage(request as AnyRequest, reply)));
  }
  registered();
};

/** A request, as HandleAttacher asks it. */
class FastifyPage implements HandleRequest<FastifyRequest> {
  readonly #request: AnyRequest;
  readonly #reply: FastifyReply;

  constructor(request: AnyRequest, reply: FastifyReply) {
    this.#request = request;
    this.#reply = reply;
  }

  get method(): string {
    return this.#request.method;
  }

  get url(): string {
    return this.#request.originalUrl;
  }

  get isSecure(): boolean {
    return this.#request.protocol === 'https';
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return typeof value === 'string' ? value : undefined;
  }

  get ownToken(): string | undefined {
    return this.#request.session?.sessionId;
  }

  get ownStore(): SessionStore | undefined {
    return ownStoreOf(this.#request);
  }

  attach(handle: SessionHandle): void {
    this.#request.sessionwise = handle;
  }

  beforeHead(linesFor: (head: AnswerHead) => readonly HeaderLine[]): void {
    addHeadersAtHead(this.#reply.raw, linesFor);
  }

  whenAnswered(listener: (statusCode: number) => void): void {
    this.#request[ANSWERED] = listener;
  }
}

function checkPlace(client: SessionClient | undefined, isBehindSession: boolean): void {
  if (client ? typeof client.session === 'function' : isBehindSession) return;
  throw new RangeError(
    'sessionwise needs a client: app.register(sessionwise, { client: new SessionClient({ redis }) }). Without one, register it behind @fastify/session.',
  );
}

/** Makes the function that warns once of requests whose `secure` cookie is not sent. */
function insecureRequestHint(): (request: AnyRequest) => void {
  let hasHinted = process.env.NODE_ENV === 'production';
  return ({ protocol, session }) => {
    if (hasHinted || protocol === 'https' || session?.cookie?.secure !== true) return;
    hasHinted = true;
    warnOnce(
      'SESSIONWISE_INSECURE_REQUEST',
      '@fastify/session neither saves a session nor sends its cookie for a request over http while cookie.secure is true, its default. For development give it cookie: { secure: "auto" }; behind a proxy that speaks https, Fastify({ trustProxy: true }).',
    );
  };
}

/** Fastify plugin: attaches the handle of the visitor or of the person as `request.sessionwise`, keeps the visitor's cookie,
 *  counts the page view, and looks after the sessions of a SessionStore (see there). For the handle it waits for nothing
 *  (but, within the store's deadline, for what the store says of a bearer token) and fails a request only by an error of a
 *  function that you gave. Register it behind @fastify/session, in the same place.
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
  return new TypeError(
    'sessionwise was registered before @fastify/session, so it would see no session: register it after it.',
  );
}
