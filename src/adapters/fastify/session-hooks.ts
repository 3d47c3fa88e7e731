import type { FastifyInstance, FastifyRequest } from 'fastify';
import { warnOnce } from '../index.ts';
import { SessionStore } from './session-store.ts';

/** A request with or without @fastify/session. */
export type HookedRequest = FastifyRequest & {
  readonly session?: { readonly sessionId?: string; readonly cookie?: { readonly secure?: unknown } } & Record<
    string,
    unknown
  >;
  readonly sessionStore?: unknown;
};

/** Marks an instance that has the hooks. */
const HOOKED = Symbol('sessionwise session hooks');

/** Adds the hooks that look after the sessions of a SessionStore (see there), once. Behind @fastify/session: where there is
 *  none yet, a plugin further in may register it, and adds them there. */
export function addSessionHooks(app: FastifyInstance): void {
  if (app.hasRequestDecorator(HOOKED) || !app.hasRequestDecorator('session')) return;
  app.decorateRequest(HOOKED, undefined);
  const hint = insecureRequestHint();
  app.addHook('onRequest', (incoming, reply, done) => {
    const request = incoming as HookedRequest;
    ownStoreOf(request)?.attach(request, reply);
    hint(request);
    done();
  });
  app.addHook('onResponse', (incoming, _reply, done) => {
    const request = incoming as HookedRequest;
    ownStoreOf(request)?.renewAnonymous(request);
    done();
  });
}

/** The store of a request's session, where it is one of ours. */
export function ownStoreOf({ sessionStore }: HookedRequest): SessionStore | undefined {
  return sessionStore instanceof SessionStore ? sessionStore : undefined;
}

/** Makes the function that warns once of requests whose `secure` cookie is not sent. */
function insecureRequestHint(): (request: HookedRequest) => void {
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
