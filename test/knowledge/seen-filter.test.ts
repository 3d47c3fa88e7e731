import { describe, expect, it } from 'vitest';
import { SeenFilter } from '../../src/knowledge/seen-filter.ts';
import { bloomServer } from '../support/bloom-server.ts';
import { encryptedItems } from '../support/encrypted-items.ts';
import { useTestData } from '../support/use-test-data.ts';
import { seenFilterSuite } from './seen-filter.suite.ts';

seenFilterSuite('portable');

if (bloomServer) seenFilterSuite('native', bloomServer);
else describe.skip('seen filter, native engine: needs SESSIONWISE_TEST_BLOOM_REDIS', () => {});

describe('seen filter: a string that is none', () => {
  const stage = useTestData();

  it.each(['', 'short', 'neither a set nor a filter', '\0\0\0\0\0\0\0\x64\xff\xff\xff\xff'])(
    '%j is refused, and not taken for a very large one',
    async (junk) => {
      const item = (await encryptedItems(['x']))[0]!;
      await stage.redis.command('SET', 'junk', Buffer.from(junk, 'latin1'));
      await expect(new SeenFilter(stage.redis, 'portable').add('junk', [item])).rejects.toThrow(/SEENFILTER/);
      // Few items are asked there, and of many the filter is fetched.
      for (const count of [1, 20]) {
        const asked = new SeenFilter(stage.redis, 'portable').has('junk', Array(count).fill(item));
        await expect(asked).rejects.toThrow(/SEENFILTER/);
      }
      expect(await stage.redis.commandForBuffers('GET', 'junk')).toEqual(Buffer.from(junk, 'latin1'));
    },
  );
});
