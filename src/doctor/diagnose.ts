import { ItemHasher } from '../knowledge/index.ts';
import { type ConnectionOptions, createConnection } from '../redis/index.ts';
import { examine } from './examine.ts';
import type { Finding } from './finding.ts';
import { judgeInstances } from './judge-namespace.ts';

/** Examines a server (or the masters of a Cluster) and a namespace over a connection of its own. Listens to heartbeats for a
 *  second. Changes nothing. `secret`: whether it is that of the namespace is judged, too.
 *  @throws RedisUnavailableError */
export async function diagnose(address: ConnectionOptions, namespace: string, secret?: string): Promise<Finding[]> {
  const fingerprint = secret === undefined ? undefined : new ItemHasher(secret, namespace).fingerprint();
  const redis = createConnection(address, 'sessionwise-doctor');
  await redis.connect();
  try {
    return await examine(redis, namespace, () => judgeInstances(redis, namespace), fingerprint);
  } finally {
    await redis.close();
  }
}
