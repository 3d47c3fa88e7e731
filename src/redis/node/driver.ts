import { createClient, RESP_TYPES } from '@redis/client';
import { type RedisClient, socketOf } from '../options/borrowed-client.ts';
import type { ConnectionOptions, ServerAddress } from '../options/connection-options.ts';

/* driver.ts: how node-redis is set up, whoever gave the address; no other file imports it.
 *
 * commandOptions.timeout is undefined on purpose: the driver's default creates an AbortSignal per command, measured
 * 3.4 times slower, and cancels nothing that was sent. Deadlines are the caller's. What guards against a server that
 * is there but silent (frozen, cut off) is socketTimeout with a PING more often than that: the connection is given up
 * and everything that waits on it is refused. */

const PING_INTERVAL_MS = 2_000;
const SILENCE_LIMIT_MS = 6_000;
const CONNECT_DEADLINE_MS = 5_000;
const MAX_RECONNECT_DELAY_MS = 200;
const MAX_QUEUED_COMMANDS = 100_000;

// biome-ignore lint/suspicious/noExplicitAny: the driver's client type has five parameters that nobody outside needs.
export type Driver = any;

/** Options of a command whose bulk strings are wanted as Buffers. */
export const AS_BUFFERS: object = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };

/** How long to wait before the attempt number `retries` (from 0) to connect again, in milliseconds. */
export function reconnectDelayMs(retries: number): number {
  return Math.min(10 * 2 ** retries, MAX_RECONNECT_DELAY_MS);
}

const OUR_WAYS = {
  disableOfflineQueue: true,
  commandsQueueMaxLength: MAX_QUEUED_COMMANDS,
  commandOptions: { timeout: undefined },
  maintNotifications: 'disabled',
  // CLIENT SETINFO is unknown before Redis 7.2 and so cannot stand in the rules of `sessionwise acl`.
  disableClientInfo: true,
  pingInterval: PING_INTERVAL_MS,
};
const OUR_SOCKET = {
  connectTimeout: CONNECT_DEADLINE_MS,
  socketTimeout: SILENCE_LIMIT_MS,
  reconnectStrategy: reconnectDelayMs,
};

/** A driver for one server: `address`, else what the options say. It connects again by itself unless `once`. */
export function createDriver(
  { host, port, path, username, password, db, tls }: ConnectionOptions,
  name: string,
  address?: ServerAddress,
  once = false,
): Driver {
  const at = address ?? { host: host ?? '127.0.0.1', port };
  return createClient({
    name,
    ...OUR_WAYS,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(db !== undefined && { database: db }),
    socket: {
      ...(path === undefined ? { host: at.host, port: at.port ?? 6379 } : { path }),
      ...(tls && { tls: true, ...(typeof tls === 'object' && tls) }),
      ...OUR_SOCKET,
      ...(once && { reconnectStrategy: false }),
    },
    // biome-ignore lint/suspicious/noExplicitAny: the driver's socket union cannot be met by conditional parts.
  } as any);
}

/** A driver with the address and login of somebody's client. */
export function createDriverLike(client: RedisClient, name: string): Driver {
  return client.duplicate({ name, RESP: 3, ...OUR_WAYS, socket: { ...socketOf(client), ...OUR_SOCKET } });
}

/** Ends a driver, whatever it is doing. Its own `destroy` does not know of a socket that is still connecting (node-redis
 *  6.3): that would connect, become ready and keep the process alive for good, so it is ended when it has connected, or
 *  CONNECT_DEADLINE_MS after it began. */
export function destroyDriver(driver: Driver): void {
  driver.on('connect', () => driver.destroy());
  driver.destroy();
}
