import { readFileSync } from 'node:fs';

/** Where Redis is: a URL (`redis://`, `rediss://`, `unix:///path`), or the parts, as in the paper's connection file. */
export interface ConnectionOptions {
  url?: string;
  host?: string;
  /** Default 6379. */
  port?: number;
  /** A Unix socket's path; excludes host and port. */
  path?: string;
  username?: string;
  password?: string;
  /** Database number. Default 0. Pub/sub ignores it: two applications on one server need two namespaces. */
  db?: number;
  /** Default false. */
  tls?: boolean | { ca?: string; cert?: string; key?: string; servername?: string; rejectUnauthorized?: boolean };
}

/** A connection that cannot be described: a wrong URL, an unreadable or invalid connection file. */
export class ConnectionOptionsError extends Error {
  override readonly name = 'ConnectionOptionsError';
  readonly code = 'CONNECTION_OPTIONS';
}

const KEYS = ['url', 'host', 'port', 'path', 'username', 'password', 'db', 'tls'];

/** Checks connection options and fills in what the URL says.
 *  @throws ConnectionOptionsError that names the wrong value, never the password. */
export function parseConnection(given: string | ConnectionOptions): ConnectionOptions {
  const options = typeof given === 'string' ? { url: given } : given;
  const unknown = Object.keys(options).find((key) => !KEYS.includes(key));
  if (unknown)
    throw new ConnectionOptionsError(`Unknown connection option "${unknown}": known are ${KEYS.join(', ')}.`);
  if (options.url !== undefined) return { ...options, ...parseUrl(options.url) };
  if (options.port !== undefined && !(Number.isInteger(options.port) && options.port > 0 && options.port < 65536)) {
    throw new ConnectionOptionsError(`The port ${JSON.stringify(options.port)} is not one: give 1 to 65535.`);
  }
  if (options.db !== undefined && !(Number.isInteger(options.db) && options.db >= 0)) {
    throw new ConnectionOptionsError(`The database number ${JSON.stringify(options.db)} is not one: give 0 or more.`);
  }
  for (const key of ['host', 'path', 'username', 'password'] as const) {
    if (options[key] !== undefined && typeof options[key] !== 'string') {
      throw new ConnectionOptionsError(`The connection option "${key}" must be a string.`);
    }
  }
  return options;
}

/** Reads a connection file: JSON, `{url}` or `{host,port,path,username,password,db,tls}`.
 *  @throws ConnectionOptionsError where it cannot be read or is wrong. */
export function readConnectionFile(file: string): ConnectionOptions {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConnectionOptionsError(
      `The connection file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, and the text can hold a password.
    throw new ConnectionOptionsError(
      `The connection file ${file} is not JSON: write {"url":"redis://..."} or host and port.`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConnectionOptionsError(`The connection file ${file} must hold a JSON object.`);
  }
  return parseConnection(value as ConnectionOptions);
}

/** The address as a person may read it in logs: no user, no password. */
export function describeConnection(options: ConnectionOptions): string {
  if (options.path !== undefined) return options.path;
  return `${options.host ?? '127.0.0.1'}:${options.port ?? 6379}`;
}

function parseUrl(url: string): ConnectionOptions {
  if (!URL.canParse(url)) {
    throw new ConnectionOptionsError(
      'The Redis URL is not one: write redis://host:port, rediss://... or unix:///path.',
    );
  }
  const { protocol, hostname, port, pathname, username, password } = new URL(url);
  const login = {
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
  };
  if (protocol === 'unix:') return { path: decodeURIComponent(pathname), ...login };
  if (protocol !== 'redis:' && protocol !== 'rediss:') {
    throw new ConnectionOptionsError(`"${protocol}//" is no Redis address: write redis://, rediss:// or unix://.`);
  }
  const db = pathname.slice(1);
  if (!/^\d*$/.test(db))
    throw new ConnectionOptionsError(`The Redis URL ends with "/${db}", which is no database number.`);
  return {
    ...login,
    host: hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
    port: port === '' ? 6379 : Number(port),
    ...(db !== '' && { db: Number(db) }),
    ...(protocol === 'rediss:' && { tls: true }),
  };
}
