import { useRedis } from '../support/use-redis.ts';
import { describeLifecycle } from './lifecycle.suite.ts';

describeLifecycle('one server', useRedis());
