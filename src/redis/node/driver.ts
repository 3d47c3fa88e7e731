import { createClient, RESP_TYPES } from '@redis/client';
import { type RedisClient, socketOf } from '../options/borrowed-client.ts';
import type { ConnectionOptions, ServerAddress } from '../options/connection-options.ts';

/* driver.ts: sets up node-redis; no other file imports it.
 *
 * commandOptions.timeout is undefined on purpose: the driver's default creates an AbortSignal per command, measured
 * 3.4 times slower, and cancels nothing that was sent. Deadlines are the caller's. A server that is connected but
 * silent (frozen, cut off) is noticed by socketTimeout, with a PING more often than that: the connection is ended, and
 * all commands that wait for replies are refused. */

const PING_INTERVAL_MS = 2_000;
const SILENCE_LIMIT_MS = 6_000;
const CONNECT_DEADLINE_MS = 5_000;
const MAX_RECONNECT_DELAY_MS = 200;
const MAX_QUEUED_COMMANDS = 100_000;

// biome-ignore lint/suspicious/noExplicitAny: the driver's client type has five parameters that no caller needs.
export type Driver = any;

/** Options of a command that returns bulk strings as Buffers. */
export const AS_BUFFERS: object = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };

/** The pause before attempt number `retries` (from 0) to connect again, in milliseconds. */
export function reconnectDelayMs(retries: number): number {
  return Math.min(10 * 2 ** retries, MAX_RECONNECT_DELAY_MS);
}

const DRIVER_OPTIONS = {
  disableOfflineQueue: true,
  commandsQueueMaxLength: MAX_QUEUED_COMMANDS,
  commandOptions: { timeout: undefined },
  maintNotifications: 'disabled',
  // CLIENT SETINFO is unknown before Redis 7.2 and so cannot stand in the rules of `sessionwise acl`.
  disableClientInfo: true,
  pingInterval: PING_INTERVAL_MS,
};
const SOCKET_OPTIONS = {
  connectTimeout: CONNECT_DEADLINE_MS,
  socketTimeout: SILENCE_LIMIT_MS,
  reconnectStrategy: reconnectDelayMs,
};

/** Creates a driver for one server: that of `address`, else that of the options. It reconnects by itself unless `once`. */
export function createDriver(
  { host, port, path, username, password, db, tls }: ConnectionOptions,
  name: string,
  address?: ServerAddress,
  once = false,
): Driver {
  const at = address ?? { host: host ?? '127.0.0.1', port };
  return createClient({
    name,
    ...DRIVER_OPTIONS,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(db !== undefined && { database: db }),
    socket: {
      ...(path === undefined ? { host: at.host, port: at.port ?? 6379 } : { path }),
      ...(tls && { tls: true, ...(typeof tls === 'object' && tls) }),
      ...SOCKET_OPTIONS,
      ...(once && { reconnectStrategy: false }),
    },
    // biome-ignore lint/suspicious/noExplicitAny: the driver's socket union cannot be met by conditional parts.
  } as any);
}

/** Creates a driver with the address and login of the application's own client. */
export function createDriverLike(client: RedisClient, name: string): Driver {
  return client.duplicate({ name, RESP: 3, ...DRIVER_OPTIONS, socket: { ...socketOf(client), ...SOCKET_OPTIONS } });
}

/** Ends a driver in any state. Its own `destroy` overlooks a socket that is still connecting (node-redis 6.3), which would
 *  become ready and keep the process alive. So the driver is destroyed again when it has connected; where it does not, it
 *  ends after CONNECT_DEADLINE_MS. */
export function destroyDriver(driver: Driver): void {
  driver.on('connect', () => driver.destroy());
  driver.destroy();
}
