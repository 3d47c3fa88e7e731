import { readFileSync } from 'node:fs';
import { closestName } from '../../protocol/internal/index.ts';
import { ConnectionOptionsError } from './connection-options-error.ts';
import { parseConnectionUrl } from './connection-url.ts';

export { ConnectionOptionsError };

/** The address of a server. */
export interface ServerAddress {
  host: string;
  /** Default 6379; of a Sentinel 26379. */
  port?: number;
}

/** The address and login of Redis: a URL (`redis://`, `rediss://`, `unix:///path`, `redis+cluster://h1:p1,h2:p2`,
 *  `redis+sentinel://h1:p1,h2:p2/master`), or the parts, as in the paper's connection file. */
export interface ConnectionOptions {
  /** All of it as a URL: `redis://`, `rediss://` (TLS), `unix://`, `redis+cluster://`, `redis+sentinel://`. Excludes the
   *  other parts. */
  url?: string;
  /** Name or address of the server. Default 127.0.0.1. */
  host?: string;
  /** Its port. Default 6379. */
  port?: number;
  /** A Unix socket's path; excludes host and port. */
  path?: string;
  /** Name of a user of Redis. Default: the user `default`. */
  username?: string;
  /** That user's password. Default: none. */
  password?: string;
  /** Database number. Default 0. Pub/sub ignores it: two applications on one server need two namespaces. */
  db?: number;
  /** Whether to use TLS, and how. Default false. It counts for all nodes of a Cluster, and for the Sentinels too. */
  tls?: boolean | { ca?: string; cert?: string; key?: string; servername?: string; rejectUnauthorized?: boolean };
  /** Some nodes of a Redis Cluster, which name the other nodes. Instead of host and port. */
  cluster?: readonly ServerAddress[];
  /** The Sentinels, which name the master. Instead of host and port. */
  sentinels?: readonly ServerAddress[];
  /** The master's name among the Sentinels. */
  master?: string;
  /** The login at the Sentinels, which is not that of Redis. Default: none. */
  sentinelUsername?: string;
  /** That login's password. Default: none. */
  sentinelPassword?: string;
}

const KEYS = [
  ...['url', 'host', 'port', 'path', 'username', 'password', 'db', 'tls'],
  ...['cluster', 'sentinels', 'master', 'sentinelUsername', 'sentinelPassword'],
];
const TEXTS = ['host', 'path', 'username', 'password', 'master', 'sentinelUsername', 'sentinelPassword'] as const;

/** Checks connection options and adds the parts of the URL.
 *  @throws ConnectionOptionsError that names the wrong value, never the password. */
export function parseConnection(given: string | ConnectionOptions): ConnectionOptions {
  const options = typeof given === 'string' ? { url: given } : given;
  const unknown = Object.keys(options).find((key) => !KEYS.includes(key));
  if (unknown) {
    const meant = closestName(unknown, KEYS);
    const instead = meant === undefined ? `known are ${KEYS.join(', ')}.` : `did you mean "${meant}"?`;
    throw new ConnectionOptionsError(`Unknown connection option "${unknown}": ${instead}`);
  }
  // Without this check a missing environment variable would lead to the server on this machine.
  const missing = (['url', 'host', 'path'] as const).find((name) => name in options && options[name] === undefined);
  if (missing || Array.isArray(options)) {
    throw new ConnectionOptionsError(`The connection names no server${missing ? `: ${missing} is undefined` : ''}.`);
  }
  const whole = options.url === undefined ? options : { ...options, ...parseConnectionUrl(options.url) };
  // rediss:// says that TLS is used, the option says how.
  if (typeof options.tls === 'object' && whole.tls === true) whole.tls = options.tls;
  if (whole.port !== undefined) checkPort(whole.port);
  if (whole.db !== undefined && !(Number.isInteger(whole.db) && whole.db >= 0)) {
    throw new ConnectionOptionsError(`The database number ${JSON.stringify(whole.db)} is not one: give 0 or more.`);
  }
  for (const key of TEXTS) {
    if (whole[key] !== undefined && typeof whole[key] !== 'string') {
      throw new ConnectionOptionsError(`The connection option "${key}" must be a string.`);
    }
  }
  checkCluster(whole);
  checkSentinels(whole);
  return whole;
}

/** Reads a connection file: JSON, `{url}` or the parts.
 *  @throws ConnectionOptionsError where the file cannot be read or is invalid. */
export function readConnectionFile(file: string): ConnectionOptions {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConnectionOptionsError(
      `The connection file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
      { cause: error },
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which can contain a password.
    throw new ConnectionOptionsError(
      `The connection file ${file} is not JSON: write {"url":"redis://..."} or host and port.`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConnectionOptionsError(`The connection file ${file} must hold a JSON object.`);
  }
  return parseConnection(value as ConnectionOptions);
}

/** Describes the address for logs and messages: without user and password. */
export function describeConnection(options: ConnectionOptions): string {
  const list = (servers: readonly ServerAddress[], port: number): string =>
    servers.map((server) => describeServer(server, port)).join(',');
  if (options.cluster !== undefined) return list(options.cluster, 6379);
  if (options.sentinels !== undefined) return `${options.master} of ${list(options.sentinels, 26379)}`;
  if (options.path !== undefined) return options.path;
  return describeServer({ host: options.host ?? '127.0.0.1', port: options.port ?? 6379 });
}

/** `host:port`; an IPv6 address stands in brackets. */
export function describeServer({ host, port }: ServerAddress, defaultPort = 6379): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port ?? defaultPort}`;
}

function checkPort(port: unknown): void {
  if (!(Number.isInteger(port) && (port as number) > 0 && (port as number) < 65536)) {
    throw new ConnectionOptionsError(`The port ${JSON.stringify(port)} is not one: give 1 to 65535.`);
  }
}

function checkServers(name: 'cluster' | 'sentinels', servers: unknown): void {
  if (!Array.isArray(servers) || servers.length === 0) {
    throw new ConnectionOptionsError(`"${name}" must be a list of addresses: [{"host":"h","port":6379}, ...].`);
  }
  for (const server of servers) {
    if (typeof server !== 'object' || server === null || typeof server.host !== 'string' || server.host === '') {
      throw new ConnectionOptionsError(`An address of "${name}" has no host: give {"host":"h","port":6379}.`);
    }
    if (server.port !== undefined) checkPort(server.port);
  }
}

const OTHERS = ['host', 'port', 'path'] as const;

function checkCluster(options: ConnectionOptions): void {
  if (options.cluster === undefined) return;
  checkServers('cluster', options.cluster);
  const other = ([...OTHERS, 'sentinels', 'master'] as const).find((key) => options[key] !== undefined);
  if (other !== undefined) {
    throw new ConnectionOptionsError(
      `"${other}" and "cluster" exclude each other: a Cluster's nodes stand in "cluster", each with host and port.`,
    );
  }
  if (options.db) {
    throw new ConnectionOptionsError(
      `A Cluster has the database 0 only, not ${options.db}: leave "db" out and use a --namespace of your own.`,
    );
  }
}

function checkSentinels(options: ConnectionOptions): void {
  if (options.sentinels === undefined) {
    const alone = (['master', 'sentinelUsername', 'sentinelPassword'] as const).find((key) => options[key]);
    if (alone === undefined) return;
    throw new ConnectionOptionsError(`"${alone}" is for Sentinel: give "sentinels" too, a list of addresses.`);
  }
  checkServers('sentinels', options.sentinels);
  const other = OTHERS.find((key) => options[key] !== undefined);
  if (other !== undefined) {
    throw new ConnectionOptionsError(
      `"${other}" and "sentinels" exclude each other: the Sentinels say where the master is.`,
    );
  }
  if (!options.master) {
    throw new ConnectionOptionsError(
      'The master is missing: give the name that the Sentinels know it by, "master" or redis+sentinel://h1:p1,h2:p2/<master>.',
    );
  }
}
