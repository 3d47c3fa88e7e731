import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { createConnection, type RedisConnection } from '../../../src/redis/index.ts';
import { SessionData } from '../../../src/sessions/index.ts';
import { startTestCluster, type TestCluster } from '../../support/test-cluster.ts';
import { describeSessionData } from './session-data.suite.ts';
import type { SessionDataTarget } from './session-data-stage.suite.ts';

let cluster: TestCluster;
let redis: RedisConnection;

beforeAll(async () => {
  cluster = await startTestCluster({ masters: 3 });
  redis = await createConnection(cluster.url).connect();
}, 60_000);
afterAll(async () => {
  await redis?.close();
  await cluster?.stop();
});

const keys = [randomBytes(32), randomBytes(32).toString('base64')];
const targetWith = (extra: object): SessionDataTarget => ({
  open: (options) => new SessionData({ redis: cluster.url, ...extra, ...options }),
  get redis() {
    return redis;
  },
});

describeSessionData('plain, in a Cluster', targetWith({}));
describeSessionData('encrypted, in a Cluster', targetWith({ encryption: { keys } }));
