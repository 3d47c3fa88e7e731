import { randomBytes } from 'node:crypto';
import { SessionData } from '../../../src/sessions/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { describeSessionData } from './session-data.suite.ts';
import type { SessionDataTarget } from './session-data-stage.suite.ts';

const server = useRedis();
const { redis } = server;

const keys = [randomBytes(32), randomBytes(32).toString('base64')];
const targetWith = (extra: object): SessionDataTarget => ({
  open: (options) => new SessionData({ redis: server.url, ...extra, ...options }),
  get redis() {
    return redis;
  },
});

describeSessionData('plain', targetWith({}));
describeSessionData('encrypted', targetWith({ encryption: { keys } }));
