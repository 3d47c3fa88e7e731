import type { ConnectionOptions, ServerAddress } from './connection-options.ts';
import { ConnectionOptionsError } from './connection-options-error.ts';

const FORMS =
  'redis://host:port, rediss://..., unix:///path, redis+cluster://h1:p1,h2:p2 or redis+sentinel://h1:p1,h2:p2/master';

/** Parses a URL of Redis.
 *  @throws ConnectionOptionsError that says what is wrong, without user and password. */
export function parseConnectionUrl(url: string): ConnectionOptions {
  // A URL with several hosts is invalid for the WHATWG's parser.
  const many = /^(rediss?)\+(cluster|sentinel):\/\/(?:([^@/?#]*)@)?([^@/?#]*)((?:\/[^@?#]*)?)$/.exec(url);
  if (many) {
    const [, scheme, kind, login = '', hosts = '', path = ''] = many;
    return parseManyHosts(kind as 'cluster' | 'sentinel', hosts, path, {
      ...parseLogin(login),
      ...(scheme === 'rediss' && { tls: true }),
    });
  }
  // Some of these characters end the host, and the rest would be read as a port.
  if (/^rediss?:\/\/[^@]*[/?#][^@]*@/.test(url)) throw unescapedLogin();
  if (/^rediss?\+/.test(url) || !URL.canParse(url)) {
    throw new ConnectionOptionsError(`The Redis URL is not one: write ${FORMS}.`);
  }
  return parseOneHost(url, new URL(url));
}

function parseManyHosts(
  kind: 'cluster' | 'sentinel',
  hosts: string,
  path: string,
  common: ConnectionOptions,
): ConnectionOptions {
  const servers = parseServers(hosts, kind === 'cluster' ? 6379 : 26379);
  const [name = '', db, ...rest] = path.slice(1).split('/').map(decode);
  if (rest.length > 0 || (kind === 'cluster' && db !== undefined)) {
    throw new ConnectionOptionsError(`The Redis URL says too much after its hosts: write ${FORMS}.`);
  }
  if (kind === 'cluster') {
    const only = parseDatabase(name);
    return { ...common, cluster: servers, ...(only !== undefined && { db: only }) };
  }
  const database = parseDatabase(db ?? '');
  return {
    ...common,
    sentinels: servers,
    ...(name !== '' && { master: name }),
    ...(database !== undefined && { db: database }),
  };
}

function parseOneHost(
  url: string,
  { protocol, hostname, port, pathname, search, hash, username, password }: URL,
): ConnectionOptions {
  if (protocol === 'unix:' && hostname !== '') {
    throw new ConnectionOptionsError(
      'The Redis URL is not one: after unix:// comes a path, as in unix:///tmp/redis.sock.',
    );
  }
  const login = parseLogin(`${username}:${password}`);
  if (protocol === 'unix:') return { path: decode(pathname), ...login };
  if (protocol !== 'redis:' && protocol !== 'rediss:') {
    // Without the two slashes the text before the colon may be a user or a password.
    const what = url.startsWith(`${protocol}//`) ? `"${protocol}//" is no Redis address` : 'The Redis URL is not one';
    throw new ConnectionOptionsError(`${what}: write ${FORMS}.`);
  }
  // In a login these characters end the host, and error messages would show the rest as an address or a database.
  if (`${pathname}${search}${hash}`.includes('@')) {
    throw unescapedLogin();
  }
  const db = parseDatabase(pathname.slice(1));
  return {
    ...login,
    host: hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
    port: port === '' ? 6379 : Number(port),
    ...(db !== undefined && { db }),
    ...(protocol === 'rediss:' && { tls: true }),
  };
}

function parseServers(hosts: string, defaultPort: number): ServerAddress[] {
  return hosts.split(',').map((host, i) => {
    const address = `redis://${host}`;
    if (host === '' || !URL.canParse(address)) {
      // Not shown: where the @ was forgotten, it is a password.
      throw new ConnectionOptionsError(`Address ${i + 1} of the Redis URL is wrong: write host:port,host:port.`);
    }
    const { hostname, port } = new URL(address);
    return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? defaultPort : Number(port) };
  });
}

function parseLogin(login: string): { username?: string; password?: string } {
  const colon = login.indexOf(':');
  const username = decode(colon < 0 ? login : login.slice(0, colon));
  const password = colon < 0 ? '' : decode(login.slice(colon + 1));
  return { ...(username !== '' && { username }), ...(password !== '' && { password }) };
}

function parseDatabase(db: string): number | undefined {
  if (!/^\d*$/.test(db)) {
    // Not shown: it may be part of a password.
    throw new ConnectionOptionsError(
      'What follows the last "/" of the Redis URL is no database number: give 0 or more.',
    );
  }
  return db === '' ? undefined : Number(db);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConnectionOptionsError('The Redis URL has a "%" that begins no escape: write it as %25.');
  }
}

function unescapedLogin(): ConnectionOptionsError {
  return new ConnectionOptionsError(
    'The login in the Redis URL has a "/", "?" or "#": write them as %2F, %3F and %23.',
  );
}
