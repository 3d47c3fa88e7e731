import { useCluster } from '../support/use-cluster.ts';
import { describeLifecycle } from './lifecycle.suite.ts';

describeLifecycle('a Cluster', useCluster());
