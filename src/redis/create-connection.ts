import type { ConnectionOptions } from './connection-options.ts';
import { NodeConnection, type RedisClient } from './node-connection.ts';
import type { RedisConnection } from './redis-connection.ts';

/** A connection, not yet opened. `name` stands in CLIENT LIST.
 *  @throws ConnectionOptionsError for options that cannot be right. */
export function createConnection(
  source: string | ConnectionOptions | RedisClient,
  name = 'sessionwise',
): RedisConnection {
  return new NodeConnection(source, name);
}
