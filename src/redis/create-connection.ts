import { ClusterConnection } from './cluster-connection.ts';
import { type ConnectionOptions, parseConnection } from './connection-options.ts';
import { NodeConnection } from './node-connection.ts';
import { clusterOfClient, isClient, isClusterClient, type RedisClient } from './redis-client.ts';
import type { RedisConnection } from './redis-connection.ts';
import { SentinelLocator } from './sentinel-locator.ts';

/** A connection, not yet opened: to one server, to the master that Sentinels name, or to the masters of a Cluster.
 *  `name` stands in CLIENT LIST.
 *  @throws ConnectionOptionsError for options that cannot be right. */
export function createConnection(
  source: string | ConnectionOptions | RedisClient,
  name = 'sessionwise',
): RedisConnection {
  if (isClient(source)) {
    return isClusterClient(source)
      ? new ClusterConnection(clusterOfClient(source), name)
      : new NodeConnection(source, name);
  }
  const options = parseConnection(source);
  if (options.cluster !== undefined) return new ClusterConnection(options, name);
  if (options.sentinels !== undefined) return new NodeConnection(options, name, new SentinelLocator(options));
  return new NodeConnection(options, name);
}
