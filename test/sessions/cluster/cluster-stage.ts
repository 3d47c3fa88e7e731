import { afterEach } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { hashSlot, PARTITION_TAGS, partitionOf } from '../../../src/redis/index.ts';
import { SessionData, type SessionDataOptions } from '../../../src/sessions/index.ts';
import { userReference } from '../../../src/sessions/tokens/user-reference.ts';
import { type UseClusterOptions, type UsedCluster, useCluster } from '../../support/use-cluster.ts';
import { SessionDataStage } from '../session-data/session-data-stage.suite.ts';

/** A Cluster with session data, and a look at it. */
export interface ClusterStage extends SessionDataStage {
  readonly cluster: UsedCluster;
}

/** Starts a Cluster for the tests of a file or of a `describe`, as `useCluster` does. What a test has opened is closed
 *  after it. */
export function useClusterStage(options: UseClusterOptions = {}): ClusterStage {
  const cluster = useCluster(options);
  const open = (given: Omit<SessionDataOptions, 'redis'>): SessionData =>
    new SessionData({ redis: cluster.url, ...given });
  const stage = new SessionDataStage({ open, redis: cluster.redis });
  afterEach(() => stage.closeAll());
  return Object.assign(stage, { cluster });
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
