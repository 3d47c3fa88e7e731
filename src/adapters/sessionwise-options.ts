import type { SessionClientOptions, TransportChoice } from '../client/index.ts';
import { checkNamespace } from '../protocol/index.ts';
import { checkOptions, type OptionForms } from '../protocol/internal/index.ts';
import { type ConnectionOptions, parseConnection, type RedisClient } from '../redis/index.ts';
import type { ServiceOptions } from '../service/index.ts';
import { CONNECT_REDIS_OPTIONS } from '../sessions/index.ts';
import type { SessionTransport } from '../transport/index.ts';
import { HANDLE_OPTIONS } from './http/handle-options.ts';
import { type SessionStoreOptions, STORE_OPTIONS } from './session-store-options.ts';

/** Options of a service that runs in the serving process: those of `startService`, without what `createSessionwise` knows
 *  and without what brings requests of other processes. */
export type InlineServiceOptions = Omit<
  ServiceOptions,
  'redis' | 'namespace' | 'secret' | 'dataDir' | 'transport' | 'sessionglob' | 'maxInFlight'
>;

/** Options of `createSessionwise`; only `redis` must be given. */
export interface SessionwiseOptions {
  /** Where Redis is: a URL, the parts of an address, or a client of node-redis, whose address and login are then used. The
   *  client and the store share one connection to it (not where a client of node-redis is given). */
  readonly redis: string | ConnectionOptions | RedisClient;
  /** The store: its data and channels. The same as the service's. Default `sw`. */
  readonly namespace?: string;
  /** The secret of the namespace, at least 16 characters, the same as the services have. Needed with `service`, and for
   *  `forget`, `export` and `notices.events`; over streams payloads are sealed with it. Not the secret of cookies. */
  readonly secret?: string;
  /** Runs the service in this process, which needs `secret`: `inline`, or an object of its options. Its code is loaded then,
   *  and not before. Several processes of a namespace may each run their own. Default: a service elsewhere,
   *  `sessionwise serve`. */
  readonly service?: 'inline' | InlineServiceOptions;
  /** The route to a service elsewhere. Default `channels`. */
  readonly transport?: Exclude<TransportChoice, SessionTransport>;
  /** How long a page may wait for what it asks, in milliseconds. Default 100. */
  readonly deadlineMs?: number;
  /** Further options of the client (`SessionClient`). */
  readonly client?: Omit<SessionClientOptions, 'redis' | 'namespace' | 'secret' | 'transport' | 'deadlineMs'>;
  /** Options of the store of sessions (`SessionStore`), beside `redis` and `namespace`. */
  readonly store?: Omit<SessionStoreOptions, 'redis' | 'namespace'>;
}

const OWNER = 'createSessionwise';
const OPTIONS: OptionForms<SessionwiseOptions> = {
  redis: 'string|object',
  namespace: 'string',
  secret: 'string',
  service: '"inline"|object',
  transport: 'string|object',
  deadlineMs: 'number',
  client: 'object',
  store: 'object',
};
const CLIENT: Readonly<Record<string, string>> = {
  ownConnection: 'any',
  maxBacklog: 'any',
  keepDeadlineMs: 'any',
  replies: 'any',
  blockingConnections: 'any',
  maxPending: 'any',
} satisfies OptionForms<NonNullable<SessionwiseOptions['client']>>;
const SERVICE: Readonly<Record<string, string>> = {
  seen: 'object',
  retention: 'object',
  clock: 'function',
  clusters: 'any',
  suggestions: 'any',
  segments: 'any',
  livePairs: 'object',
  acceptTimes: 'boolean',
  http: 'object',
  sessions: 'object',
  archive: 'function',
  log: 'object',
} satisfies OptionForms<InlineServiceOptions>;
/** Options of express-session and @fastify/session, which `sw.session` takes. */
const SESSION = [
  ...['name', 'genid', 'proxy', 'resave', 'rolling', 'saveUninitialized', 'unset'],
  ...['cookieName', 'cookiePrefix', 'idGenerator', 'algorithm'],
];
const SHORTEST_SECRET = 16;

/** Options that the whole has, where one of its parts is given them. */
const OF_THE_WHOLE = inEach(Object.keys(OPTIONS), (name) => `give createSessionwise({ ${name} }) itself.`);
/** What is given where the whole is given an option of connect-redis or of one of its parts. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  ...inEach(Object.keys(HANDLE_OPTIONS), (name) => `it belongs to sw.knowledge: { ${name} }.`),
  ...inEach(SESSION, (name) => `it belongs to sw.session: { ${name} }.`),
  cookie: 'it belongs to sw.session: { cookie }; the cookie of visitors to sw.knowledge: { cookie }.',
  ...inEach(['url', 'host', 'port'], (name) => `it belongs to the address: redis: { ${name} }.`),
  ...CONNECT_REDIS_OPTIONS,
  ...inEach(Object.keys(SERVICE), (name) => `it belongs to the service: service: { ${name} }.`),
  ...inEach(Object.keys(CLIENT), (name) => `it belongs to the client: client: { ${name} }.`),
  ...inEach(Object.keys(STORE_OPTIONS), (name) => `it belongs to the store: store: { ${name} }.`),
  ...inEach(
    ['clusters', 'suggestions', 'segments'],
    (name) => `it belongs to the service: service: { ${name} }; of a service elsewhere to its configuration file.`,
  ),
};

/** What is given where `sw.session` is given an option of its cookie, or of another part. */
export const BESIDE_SESSION: Readonly<Record<string, string>> = {
  ...inEach(
    Object.keys(STORE_OPTIONS),
    (name) => `it belongs to the store: createSessionwise({ store: { ${name} } }).`,
  ),
  ...OF_THE_WHOLE,
  ...inEach(
    ['maxAge', 'secure', 'sameSite', 'httpOnly', 'domain', 'path', 'expires'],
    (name) => `it belongs to the cookie: cookie: { ${name} }.`,
  ),
  store: 'the store is that of this object. Its options: createSessionwise({ store: { ... } }).',
};

/** Checks the options of `createSessionwise`, except what its parts check.
 *  @throws RangeError for an unknown option, which says what was probably meant, and for a value that cannot be used;
 *  ConnectionOptionsError for an address that is none. */
export function checkSessionwiseOptions(options: SessionwiseOptions): void {
  if (isClient((options as { client?: unknown } | undefined)?.client)) {
    throw new RangeError(`${OWNER}: client takes options of SessionClient. ${CONNECT_REDIS_OPTIONS.client}`);
  }
  checkOptions(OWNER, options, OPTIONS, ELSEWHERE);
  const { redis, namespace, secret, service, transport, client, store } = options;
  if (redis === undefined) throw new RangeError(`${OWNER} needs redis: give a redis:// URL.`);
  // Here, because a service in the process would find out only when it is started.
  if (!isClient(redis)) parseConnection(redis as string | ConnectionOptions);
  if (namespace !== undefined) checkNamespace(namespace);
  if (client) checkOptions(`${OWNER}: client`, client, CLIENT, OF_THE_WHOLE);
  if (store) {
    const { redis: _, namespace: __, ...forms } = STORE_OPTIONS;
    checkOptions(`${OWNER}: store`, store, forms, { ...OF_THE_WHOLE, ...CONNECT_REDIS_OPTIONS });
  }
  if (service === undefined) return;
  if (service !== 'inline') checkOptions(`${OWNER}: service`, service, SERVICE, OF_THE_WHOLE);
  if (transport !== undefined) {
    throw new RangeError(`${OWNER}: a service in this process needs no transport: leave out transport, or service.`);
  }
  if (secret !== undefined && secret.length >= SHORTEST_SECRET) return;
  throw new RangeError(
    `${OWNER}: a service in this process needs secret, the key of what Redis keeps: give at least ${SHORTEST_SECRET} characters, better 32 random ones, the same in all processes of the namespace.`,
  );
}

function inEach(names: readonly string[], sentence: (name: string) => string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, sentence(name)]));
}

function isClient(client: unknown): boolean {
  return typeof client === 'object' && client !== null && 'sendCommand' in client;
}
