import { useCluster } from '../support/use-cluster.ts';
import { describeForgetting } from './subjects.suite.ts';

const cluster = useCluster({ masters: 3, eachTest: 'kept' });

describeForgetting('in a Cluster', cluster);
