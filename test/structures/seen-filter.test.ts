import { describe } from 'vitest';
import { bloomServer } from '../support/bloom-server.ts';
import { seenFilterSuite } from './seen-filter.suite.ts';

seenFilterSuite('portable');

if (bloomServer) seenFilterSuite('native', bloomServer);
else describe.skip('seen filter, native engine: needs SESSIONWISE_TEST_BLOOM_REDIS', () => {});
