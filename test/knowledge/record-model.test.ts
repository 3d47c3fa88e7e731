import { describe } from 'vitest';
import { bloomServer } from '../support/bloom-server.ts';
import { recordModelSuite } from './record-model.suite.ts';

// At length 100,000 operations in all.
const times = process.env.SESSIONWISE_SOAK_SECONDS === undefined ? 1 : 4;

recordModelSuite('all in the record', { exactLimit: 512 }, 10_000 * times);
recordModelSuite('outgrown at 64', { exactLimit: 64 }, 10_000 * times);
recordModelSuite('always large', { exactLimit: 0 }, 5_000 * times);

if (bloomServer) {
  recordModelSuite('native engine, outgrown at 64', { engine: 'native', exactLimit: 64 }, 5_000 * times, bloomServer);
  recordModelSuite('native engine, always large', { engine: 'native', exactLimit: 0 }, 5_000 * times, bloomServer);
} else describe.skip('a subject, native engine: needs SESSIONWISE_TEST_BLOOM_REDIS', () => {});
