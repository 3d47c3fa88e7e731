import { describe } from 'vitest';
import { bloomServer } from '../support/bloom-server.ts';
import { seenItemsSuite } from './seen-items.suite.ts';

seenItemsSuite('portable');

if (bloomServer) seenItemsSuite('native', bloomServer);
else describe.skip('seen items, native engine: needs SESSIONWISE_TEST_BLOOM_REDIS', () => {});
