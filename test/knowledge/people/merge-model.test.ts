import { describe } from 'vitest';
import { useCluster } from '../../support/use-cluster.ts';
import { useRedis } from '../../support/use-redis.ts';
import { mergeModelSuite } from './merge-model.suite.ts';

// At length 10,000 schedules in all, with those of merge-failovers.test.ts.
const isLong = process.env.SESSIONWISE_SOAK_SECONDS !== undefined;

describe('on one server', () => {
  const server = useRedis({ eachTest: 'kept' });
  mergeModelSuite('on one server', () => server.redis, isLong ? 1_250 : 60);
});

describe('in a Cluster', () => {
  const cluster = useCluster({ eachTest: 'kept' });
  mergeModelSuite('in a Cluster', () => cluster.redis, isLong ? 500 : 15);
});
