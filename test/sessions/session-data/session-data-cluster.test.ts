import { randomBytes } from 'node:crypto';
import { SessionData } from '../../../src/sessions/index.ts';
import { useCluster } from '../../support/use-cluster.ts';
import { describeSessionData } from './session-data.suite.ts';
import type { SessionDataTarget } from './session-data-stage.suite.ts';

const cluster = useCluster({ masters: 3 });
const { redis } = cluster;

const keys = [randomBytes(32), randomBytes(32).toString('base64')];
const targetWith = (extra: object): SessionDataTarget => ({
  open: (options) => new SessionData({ redis: cluster.url, ...extra, ...options }),
  get redis() {
    return redis;
  },
});

describeSessionData('plain, in a Cluster', targetWith({}));
describeSessionData('encrypted, in a Cluster', targetWith({ encryption: { keys } }));
