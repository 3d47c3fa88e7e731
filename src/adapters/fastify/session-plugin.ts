import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import {
  type AnswerHead,
  addHeadersAtHead,
  BrowserRequests,
  HandleAttacher,
  type HandleOptions,
  type HandleRequest,
  type HeaderLine,
  handleWithoutVisitor,
  type SessionClient,
  type SessionHandle,
  whenAnswered,
} from '../index.ts';
import { browserRoutes } from './browser-routes.ts';
import { addSessionHooks, type HookedRequest, ownStoreOf } from './session-hooks.ts';
import type { SessionStore } from './session-store.ts';
import { FASTIFY_OPTIONS, withoutEncapsulation } from './without-encapsulation.ts';

/** Options of the plugin. Without `client` all handles answer `undefined` and no page views are counted: then the plugin
 *  only looks after the sessions of a SessionStore. Bearer tokens are looked up in `store`, by default in the store of
 *  @fastify/session where that is a SessionStore. With `user` the handle is attached behind all hooks `preValidation`, so
 *  that @fastify/passport has set the user by then; else in the hook `onRequest`, and where @fastify/session is not registered
 *  before it, behind all of these: a part of the site may have sessions. */
export type SessionPluginOptions = HandleOptions<FastifyRequest>;

/** A request with or without @fastify/session. */
export type AnyRequest = HookedRequest & {
  sessionwise: SessionHandle;
};

declare module 'fastify' {
  interface FastifyRequest {
    /** The handle of whom the request is asked as: the person who is logged in, or the browser's visitor. Set by
     *  Sessionwise's plugin for every request; it answers `undefined` where there is no visitor (no consent, a robot), the
     *  request came with the previous secret, or its session could not be read. */
    sessionwise: SessionHandle;
  }
}

const plugin: FastifyPluginCallback<SessionPluginOptions> = (app, options, registered) =>
  attachHandles('sessionwise', app, options, registered);

/** Does what the plugin does. `owner`: its name in messages. */
export function attachHandles(
  owner: string,
  app: FastifyInstance,
  options: SessionPluginOptions,
  registered: (error?: Error) => void,
): void {
  const isBehindSession = app.hasRequestDecorator('session');
  let attacher: HandleAttacher<FastifyRequest>;
  try {
    attacher = new HandleAttacher(owner, options, FASTIFY_OPTIONS);
    checkPlace(options.client, isBehindSession);
  } catch (error) {
    registered(error as RangeError);
    return;
  }
  const { script } = options;
  const browser = script && new BrowserRequests(attacher, script);
  const attach = (request: AnyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    // Of messages only the body says what they are about, and the script's text is no page.
    if (browser?.purposeOf(request.originalUrl) !== undefined) {
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

  addSessionHooks(app);
  app.decorateRequest('sessionwise', undefined as never);
  app.addHook('onReady', (done) => done(misplaced(app, isBehindSession)));
  // Where no session is known here, a plugin further in may register @fastify/session, whose hook comes behind this one.
  const hook = options.user ? 'preHandler' : isBehindSession ? 'onRequest' : 'preParsing';
  app.addHook('onRequest', (incoming, reply, done) => {
    const request = incoming as AnyRequest;
    request.sessionwise = handleWithoutVisitor();
    if (hook === 'onRequest') attach(request, reply, done);
    else done();
  });
  if (hook === 'preHandler') {
    app.addHook(hook, (request, reply, done) => attach(request as AnyRequest, reply, done));
  } else if (hook === 'preParsing') {
    app.addHook(hook, (request, reply, _body, done) => attach(request as AnyRequest, reply, done));
  }
  if (browser) {
    app.register(browserRoutes(browser, (request, reply) => new FastifyPage(request as AnyRequest, reply)));
  }
  registered();
}

/** A request, as HandleAttacher asks it. */
export class FastifyPage implements HandleRequest<FastifyRequest> {
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
    whenAnswered(this.#reply.raw, listener);
  }
}

function checkPlace(client: SessionClient | undefined, isBehindSession: boolean): void {
  if (client ? typeof client.session === 'function' : isBehindSession) return;
  throw new RangeError(
    'sessionwise needs a client: app.register(sessionwise, { client: new SessionClient({ redis }) }). Without one, register it behind @fastify/session.',
  );
}

/** Fastify plugin: attaches the handle of the visitor or of the person as `request.sessionwise`, keeps the visitor's cookie,
 *  counts the page view, and looks after the sessions of a SessionStore (see there). For the handle it waits for nothing
 *  (but, within the store's deadline, for what the store says of a bearer token) and fails a request only by an error of a
 *  function that you gave. Register it behind @fastify/session, in the same place.
 *  @throws RangeError where there is neither a client nor @fastify/session, or an option is unknown or of the wrong type. */
export const sessionwise: FastifyPluginCallback<SessionPluginOptions> = withoutEncapsulation('sessionwise', plugin);

function misplaced(app: FastifyInstance, isBehindSession: boolean): Error | undefined {
  if (isBehindSession || !app.hasRequestDecorator('session')) return undefined;
  return new TypeError(
    'sessionwise was registered before @fastify/session, so it would see no session: register it after it.',
  );
}
