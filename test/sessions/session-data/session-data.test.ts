import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { createConnection, type RedisConnection } from '../../../src/redis/index.ts';
import { SessionData } from '../../../src/sessions/index.ts';
import { startTestRedis, type TestRedis } from '../../support/test-redis.ts';
import { describeSessionData } from './session-data.suite.ts';
import type { SessionDataTarget } from './session-data-stage.suite.ts';

let server: TestRedis;
let redis: RedisConnection;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await createConnection(server.url).connect();
});
afterAll(async () => {
  await redis.close();
  await server.stop();
});

const keys = [randomBytes(32), randomBytes(32).toString('base64')];
const targetWith = (extra: object): SessionDataTarget => ({
  open: (options) => new SessionData({ redis: server.url, ...extra, ...options }),
  get redis() {
    return redis;
  },
});

describeSessionData('plain', targetWith({}));
describeSessionData('encrypted', targetWith({ encryption: { keys } }));
