import type { FastifySessionOptions as LibraryOptions } from '@fastify/session';
import type { FastifyInstance, FastifyPluginAsync, FastifyPluginCallback, FastifyRequest } from 'fastify';
import {
  type HandleOptions,
  type LiveOptions,
  loadPeer,
  type OptionForms,
  type SessionwiseOptions,
  type SharedParts,
  SiteParts,
} from '../index.ts';
import { livePlugin } from './live-plugin.ts';
import { addSessionHooks } from './session-hooks.ts';
import { attachHandles } from './session-plugin.ts';
import { SessionStore } from './session-store.ts';
import { FASTIFY_OPTIONS, withoutEncapsulation } from './without-encapsulation.ts';

/** Options of `sw.session`: those of @fastify/session, but for the store. Defaults of ours: `saveUninitialized` false, tokens
 *  of our own form, and a cookie with `secure: 'auto'` and `sameSite: 'lax'`. */
export type FastifySessionOptions = Omit<LibraryOptions, 'store'>;

/** Options of `sw.knowledge`: those of the plugin `sessionwise`, but for the client. */
export type KnowledgeOptions = Omit<HandleOptions<FastifyRequest>, 'client'>;

/** Sessionwise for a site of Fastify: what `createSessionwise` makes. */
export interface Sessionwise extends SharedParts {
  /** The store of sessions, opened at its first use.
   *  @throws RangeError or ConnectionOptionsError for an option that cannot be used. */
  readonly store: SessionStore;
  /** Plugin: @fastify/session with this store, and @fastify/cookie where that is not registered yet. `secret` signs the
   *  cookies: 32 characters or more. Registering fails with a RangeError for an option that is unknown or cannot be used,
   *  with a PeerMissingError where a package is not installed. */
  readonly session: FastifyPluginAsync<FastifySessionOptions>;
  /** Plugin: attaches `request.sessionwise`, keeps the visitor's cookie and counts page views. Register it behind `session`;
   *  it needs none: with another library of sessions give `user`. Registering fails with a RangeError for an option that is
   *  unknown or of the wrong type. */
  readonly knowledge: FastifyPluginCallback<KnowledgeOptions>;
  /** Plugin: live streams to pages (server-sent events), and the script for pages that listen. Register it with a prefix,
   *  behind `knowledge`, which finds the visitor: `app.register(sw.live, { prefix: '/live' })`. Registering fails with a
   *  RangeError without a prefix, and for an option that is unknown or cannot be used. */
  readonly live: FastifyPluginCallback<LiveOptions>;
}

/** Makes what a site of Fastify needs: one connection to Redis for session data and for what is known of visitors, and the
 *  plugins. Begins to connect and returns; never throws because Redis is away. Nothing closes it but `close()`.
 *  @throws RangeError or ConnectionOptionsError for an option that is unknown or cannot be used. */
export function createSessionwise(options: SessionwiseOptions): Sessionwise {
  const parts = new SiteParts(options, (storeOptions) => new SessionStore(storeOptions));
  const session: Sessionwise['session'] = (app, sessionOptions) => registerSession(parts, app, sessionOptions);
  const knowledge: Sessionwise['knowledge'] = (app, handleOptions, registered) =>
    registerKnowledge(parts, app, handleOptions, registered);
  return {
    client: parts.client,
    get store() {
      return parts.store;
    },
    session: withoutEncapsulation('sessionwise-session', session),
    knowledge: withoutEncapsulation('sessionwise', knowledge),
    live: livePlugin(parts.live),
    notices: parts.client.notices,
    person: (userId, page) => parts.person(userId, page),
    setRules: (rules) => parts.setRules(rules),
    forget: (subject, more) => parts.forget(subject, more),
    export: (subject, more) => parts.export(subject, more),
    openForOperators: () => parts.openForOperators(),
    close: () => parts.close(),
  };
}

const SESSION_OPTIONS: OptionForms<FastifySessionOptions> = {
  secret: 'any',
  algorithm: 'string',
  cookieName: 'string',
  cookie: 'object',
  saveUninitialized: 'boolean',
  rolling: 'boolean',
  idGenerator: 'function',
  cookiePrefix: 'string',
};
const ELSEWHERE = {
  genid: '@fastify/session calls it `idGenerator`.',
  name: '@fastify/session calls it `cookieName`.',
  resave: '@fastify/session has none; leave it out.',
};

async function registerSession(
  parts: SiteParts<SessionStore>,
  app: FastifyInstance,
  options: FastifySessionOptions,
): Promise<void> {
  parts.checkSessionOptions('sw.session', options, { ...SESSION_OPTIONS, ...FASTIFY_OPTIONS }, ELSEWHERE);
  if (options.secret === undefined) {
    throw new RangeError('sw.session needs secret, which signs the cookies: give 32 random characters or more.');
  }
  const need = 'sw.session';
  const library = loadPeer<FastifyPluginCallback<LibraryOptions>>('@fastify/session', need);
  if (!app.hasReplyDecorator('setCookie')) {
    await app.register(loadPeer<FastifyPluginCallback>('@fastify/cookie', need));
  }
  const { store } = parts;
  const names = Object.keys(SESSION_OPTIONS) as (keyof FastifySessionOptions)[];
  const given = names.map((name) => [name, options[name]] as const).filter(([, value]) => value !== undefined);
  await app.register(library, {
    saveUninitialized: false,
    idGenerator: store.genid,
    ...(Object.fromEntries(given) as unknown as FastifySessionOptions),
    cookie: { secure: 'auto', sameSite: 'lax', ...options.cookie },
    store,
  });
  addSessionHooks(app);
}

function registerKnowledge(
  parts: SiteParts<SessionStore>,
  app: FastifyInstance,
  options: KnowledgeOptions,
  registered: (error?: Error) => void,
): void {
  if ('client' in options) {
    registered(new RangeError('sw.knowledge asks by the client of this object: leave client out.'));
    return;
  }
  const { openedStore: store } = parts;
  attachHandles('sw.knowledge', app, { ...(store && { store }), ...options, client: parts.client }, registered);
}
