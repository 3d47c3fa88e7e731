import { describe } from 'vitest';
import { useCluster } from '../../support/use-cluster.ts';
import { useRedis } from '../../support/use-redis.ts';
import { mergeModelSuite } from './merge-model.suite.ts';

// At length 10,000 schedules in all.
const times = process.env.SESSIONWISE_SOAK_SECONDS === undefined ? 1 : 30;

describe('on one server', () => {
  const server = useRedis({ eachTest: 'kept' });
  mergeModelSuite('on one server', () => server.redis, 100 * times);
});

describe('in a Cluster', () => {
  const cluster = useCluster({ eachTest: 'kept' });
  mergeModelSuite('in a Cluster', () => cluster.redis, 15 * times);
});
