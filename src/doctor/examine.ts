import { type Capabilities, type RedisConnection, RedisTooOldError, readCapabilities } from '../redis/index.ts';
import { type Finding, good, note } from './finding.ts';
import { judgeCluster, judgeMasters } from './judge-cluster.ts';
import { judgeNamespace, judgeStreams, judgeWrites } from './judge-namespace.ts';
import { judgeClock, judgeLatency } from './judge-server.ts';

/** Examines a server (or the masters of a Cluster) and a namespace over an open connection. Changes nothing. What the user of
 *  the connection may not look at is a note. `judgeService`: who serves the namespace. `fingerprint`: that of the
 *  secret which is at hand, if one is.
 *  @throws what Redis refuses with otherwise. */
export async function examine(
  redis: RedisConnection,
  namespace: string,
  judgeService: () => Promise<Finding>,
  fingerprint?: string,
): Promise<Finding[]> {
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
    ...(redis.options.cluster === undefined ? [] : await looked('cluster', () => judgeCluster(redis))),
    ...(await looked('settings', () => judgeMasters(redis))),
    bloom
      ? good('filters', 'Has BF.*: both filter engines can be used.')
      : good('filters', 'Has no BF.*: seen filters use the portable engine.'),
    ...(await looked('clock', () => judgeClock(redis))),
    ...(await looked('latency', () => judgeLatency(redis))),
    ...(await looked('writes', () => judgeWrites(redis, namespace))),
    ...(await looked('namespace', () => judgeNamespace(redis, namespace, fingerprint))),
    ...(await looked('service', judgeService)),
    ...(await looked('streams', () => judgeStreams(redis, namespace))),
  ];
}

async function looked(about: string, judge: () => Promise<Finding | Finding[]>): Promise<Finding[]> {
  try {
    return [await judge()].flat();
  } catch (error) {
    const { message } = error as Error;
    if (!message.startsWith('NOPERM')) throw error;
    return [note(about, `This user may not look: ${message}`)];
  }
}
