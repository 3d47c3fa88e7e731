import { type ConnectionOptions, parseConnection, type ServerAddress } from './connection-options.ts';
import { ConnectionOptionsError } from './connection-options-error.ts';

/** A client of the package `redis` or `@redis/client` (node-redis 5 or 6), created by `createClient` or
 *  `createCluster`. Only its address and login are used, for a connection of our own: the client itself is neither used
 *  nor closed. */
export interface RedisClient {
  readonly options?: object | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: the driver's types have five parameters that no caller needs.
  duplicate(overrides?: any): any;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  sendCommand(...args: any[]): any;
}

interface ClientOptions {
  readonly url?: string;
  readonly socket?: ConnectionOptions;
  readonly username?: string;
  readonly password?: string;
  readonly database?: number;
  readonly credentialsProvider?: { readonly type?: string };
}

/** Whether `source` is a client, and not an address. */
export function isClient(source: string | ConnectionOptions | RedisClient): source is RedisClient {
  return typeof source === 'object' && 'duplicate' in source;
}

/** Whether a client was created by `createCluster`. */
export function isClusterClient(client: RedisClient): boolean {
  return 'masters' in client && 'replicas' in client;
}

/** The socket's options of a client of `createClient`. */
export function socketOf(client: RedisClient): ConnectionOptions {
  return (client.options as ClientOptions | undefined)?.socket ?? {};
}

/** The address of a client of `createClient`, for messages only: the driver takes the other options from the client itself.
 *  @throws ConnectionOptionsError for a client of another kind. */
export function addressOfClient(client: RedisClient): ConnectionOptions {
  if ('getSentinelNode' in client) {
    throw new ConnectionOptionsError(
      'A client of createSentinel() keeps its Sentinels to itself: give redis+sentinel://[user:password@]h1:p1,h2:p2/master instead.',
    );
  }
  if (!('options' in client)) {
    throw new ConnectionOptionsError(
      'This Redis client is none of createClient() or createCluster(): give one of those, or a redis:// URL.',
    );
  }
  const { host, port, path } = socketOf(client);
  const { database } = (client.options ?? {}) as ClientOptions;
  return {
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(path !== undefined && { path }),
    ...(database !== undefined && { db: database }),
  };
}

/** The nodes, login and TLS of a client of `createCluster`.
 *  @throws ConnectionOptionsError where they cannot be read. */
export function clusterOfClient(client: RedisClient): ConnectionOptions {
  // The driver has no public access to them; its own `duplicate` reads the same field.
  const given = (client as { _options?: { rootNodes?: ClientOptions[]; defaults?: ClientOptions } })._options;
  const nodes = given?.rootNodes?.map(fromClientOptions) ?? [];
  const defaults = fromClientOptions(given?.defaults ?? {});
  if (nodes.length === 0) {
    throw new ConnectionOptionsError(
      'The nodes of this Cluster client cannot be read: give redis+cluster://[user:password@]h1:p1,h2:p2 instead.',
    );
  }
  const first = nodes[0]!;
  const username = defaults.username ?? first.username;
  const password = defaults.password ?? first.password;
  const tls = defaults.tls ?? first.tls;
  return parseConnection({
    cluster: nodes.map(({ host, port }): ServerAddress => ({ host: host ?? '127.0.0.1', port: port ?? 6379 })),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls }),
  });
}

type Tls = Exclude<ConnectionOptions['tls'], boolean | undefined>;

function fromClientOptions({ url, socket, username, password, credentialsProvider }: ClientOptions): ConnectionOptions {
  if (credentialsProvider !== undefined && username === undefined && password === undefined) {
    throw new ConnectionOptionsError(
      'This Cluster client has its login from a credentialsProvider: give redis+cluster://user:password@h1:p1,h2:p2 instead.',
    );
  }
  const { tls, host, port, ca, cert, key, servername, rejectUnauthorized } = (socket ?? {}) as ConnectionOptions & Tls;
  const given = { ca, cert, key, servername, rejectUnauthorized };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return {
    ...(url !== undefined && parseConnection(url)),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: Object.keys(set).length > 0 ? (set as Tls) : true }),
  };
}
