import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import {
  createConnection,
  hashSlot,
  PARTITION_TAGS,
  partitionOf,
  type RedisConnection,
} from '../../../src/redis/index.ts';
import { SessionData, type SessionDataOptions } from '../../../src/sessions/index.ts';
import { userReference } from '../../../src/sessions/tokens/user-reference.ts';
import { startTestCluster, type TestCluster, type TestClusterOptions } from '../../support/test-cluster.ts';
import { SessionDataStage } from '../session-data/session-data-stage.suite.ts';

/** A Cluster with session data, and a look at it. */
export interface ClusterStage extends SessionDataStage {
  readonly cluster: TestCluster;
  stop(): Promise<void>;
}

/** Starts a Cluster, and opens a connection to look at it. */
export async function openClusterStage(options: TestClusterOptions = { masters: 3 }): Promise<ClusterStage> {
  const cluster = await startTestCluster(options);
  let redis: RedisConnection;
  try {
    redis = await createConnection(cluster.url).connect();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  const open = (given: Omit<SessionDataOptions, 'redis'>): SessionData =>
    new SessionData({ redis: cluster.url, ...given });
  const stage = new SessionDataStage({ open, redis });
  return Object.assign(stage, {
    cluster,
    async stop() {
      await stage.closeAll();
      await redis.close();
      await cluster.stop();
    },
  });
}

/** A token whose session lies on the `master`th of three masters, as the Cluster was made. */
export function tokenOn(master: number): string {
  return found(createToken, (token) => PARTITION_TAGS[partitionOf(sessionOf(token))]!, master);
}

/** A user whose index lies there. */
export function userOn(master: number): string {
  return found(createToken, (user) => userReference(user).slice(0, 3), master);
}

function found(create: () => string, tagOf: (name: string) => string, master: number): string {
  for (;;) {
    const name = create();
    if (Math.floor((hashSlot(tagOf(name)) * 3) / 16_384) === master) return name;
  }
}
