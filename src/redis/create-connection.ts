import { ClusterConnection } from './cluster/cluster-connection.ts';
import { NodeConnection } from './node/node-connection.ts';
import { clusterOfClient, isClient, isClusterClient, type RedisClient } from './options/borrowed-client.ts';
import { type ConnectionOptions, parseConnection } from './options/connection-options.ts';
import type { RedisConnection } from './redis-connection.ts';
import { SentinelResolver } from './sentinel/sentinel-resolver.ts';

/** Creates a connection, which is not open yet: to one server, to the master that Sentinels name, or to the masters of a
 *  Cluster. CLIENT LIST shows `name`.
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
  if (options.sentinels !== undefined) return new NodeConnection(options, name, new SentinelResolver(options));
  return new NodeConnection(options, name);
}
