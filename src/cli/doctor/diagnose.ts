import {
  type Capabilities,
  type ConnectionOptions,
  createConnection,
  RedisTooOldError,
  readCapabilities,
} from '../../redis/index.ts';
import { type Finding, good } from './finding.ts';
import { judgeCluster, judgeMasters } from './judge-cluster.ts';
import { judgeInstances, judgeNamespace, judgeStreams, judgeWrites } from './judge-namespace.ts';
import { judgeClock, judgeLatency } from './judge-server.ts';

export type { Finding };

/** Examines a server (or the masters of a Cluster) and a namespace. Changes nothing.
 *  @throws RedisUnavailableError */
export async function diagnose(address: ConnectionOptions, namespace: string): Promise<Finding[]> {
  const redis = createConnection(address, 'sessionwise-doctor');
  await redis.connect();
  try {
    let capabilities: Capabilities;
    try {
      capabilities = await readCapabilities(redis);
    } catch (error) {
      if (error instanceof RedisTooOldError) return [{ level: 'problem', about: 'version', text: error.message }];
      throw error;
    }
    const { flavour, version, bloom, cluster } = capabilities;
    return [
      good('version', `${flavour === 'valkey' ? 'Valkey' : 'Redis'} ${version}${cluster ? ', in Cluster mode' : ''}.`),
      ...(redis.options.cluster === undefined ? [] : await judgeCluster(redis)),
      ...(await judgeMasters(redis)),
      bloom
        ? good('filters', 'Has BF.*: both filter engines can be used.')
        : good('filters', 'Has no BF.*: seen filters use the portable engine.'),
      await judgeClock(redis),
      await judgeLatency(redis),
      await judgeWrites(redis, namespace),
      await judgeNamespace(redis, namespace),
      await judgeInstances(redis, namespace),
      ...(await judgeStreams(redis, namespace)),
    ];
  } finally {
    await redis.close();
  }
}
