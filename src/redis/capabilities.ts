import { explainClusterNode } from './node/connection-failure.ts';
import { ConnectionOptionsError } from './options/connection-options-error.ts';
import type { RedisConnection } from './redis-connection.ts';
import { RedisTooOldError } from './redis-too-old-error.ts';

/** The oldest server that has what we use (`SMISMEMBER`, `ZMSCORE`, `GETEX`: 6.2). */
export const OLDEST_SERVER = '6.2';

/** Version and abilities of a server. */
export interface Capabilities {
  /** As INFO gives it: `7.0.15`. */
  readonly version: string;
  readonly flavour: 'redis' | 'valkey';
  readonly cluster: boolean;
  /** Whether it has the `BF.*` commands. */
  readonly bloom: boolean;
}

/** Reads the version and abilities of a server in one round trip; in a Cluster those of any master.
 *  @throws RedisTooOldError below 6.2; ConnectionOptionsError where a single server's address leads to a Cluster. */
export async function readCapabilities(redis: RedisConnection): Promise<Capabilities> {
  const [info, bloomInfo] = await Promise.all([
    redis.command<string>('INFO', 'server'),
    redis.command<unknown>('COMMAND', 'INFO', 'bf.add').catch(() => [null]),
  ]);
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1];
  const version = field('valkey_version') ?? field('redis_version') ?? '0';
  const bloom = Array.isArray(bloomInfo) && bloomInfo[0] !== null && bloomInfo[0] !== undefined;
  if (field('valkey_version') === undefined && !isAtLeast(version, OLDEST_SERVER)) {
    throw new RedisTooOldError(
      `Redis at ${redis.address} is version ${version}: Sessionwise needs ${OLDEST_SERVER} or newer.`,
    );
  }
  const cluster = (field('redis_mode') ?? field('server_mode')) === 'cluster';
  // Where the Cluster is known as such, the connection to one of its nodes has the Cluster's options.
  if (cluster && redis.options.cluster === undefined) {
    throw new ConnectionOptionsError(explainClusterNode(redis.address, redis.options));
  }
  return {
    version,
    flavour: field('valkey_version') === undefined ? 'redis' : 'valkey',
    cluster,
    bloom,
  };
}

/** Compares dotted versions by their first two numbers. */
export function isAtLeast(version: string, wanted: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
