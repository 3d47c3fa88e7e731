import { describe, expect, it } from 'vitest';
import { ItemHasher } from '../../src/knowledge/index.ts';
import { ITEM_LENGTH, ItemEncryption } from '../../src/knowledge/item-encryption.ts';
import { TEST_SECRET } from '../support/use-test-data.ts';

describe('encrypted items', () => {
  const hashes = new ItemHasher(TEST_SECRET, 'sw').ofAll(
    'page',
    Array.from({ length: 10_000 }, (_, i) => `/p${i}`),
  );
  const encryption = new ItemEncryption(TEST_SECRET, 'sw');

  it('are 8 characters of ASCII, which Redis gets as 8 bytes', async () => {
    for (const item of await encryption.encrypt('s', hashes)) {
      expect(item).toHaveLength(ITEM_LENGTH);
      expect(Buffer.byteLength(item)).toBe(ITEM_LENGTH);
    }
  });

  it('come back as they were, the greatest and the least too', async () => {
    const all = [...hashes, 0, 1, 2 ** 28 - 1, 2 ** 28, 2 ** 53 - 1];
    const bytes = Buffer.from((await encryption.encrypt('subject', all)).join(''), 'latin1');
    expect(await encryption.decrypt('subject', bytes)).toEqual(all);
    expect(await encryption.decrypt('another', bytes)).not.toEqual(all);
    expect(await encryption.decrypt('subject', Buffer.alloc(0))).toEqual([]);
  });

  it('are others for another subject, namespace and secret, and none stands in two', async () => {
    const sets = await Promise.all([
      encryption.encrypt('one', hashes),
      encryption.encrypt('two', hashes),
      new ItemEncryption(TEST_SECRET, 'other').encrypt('one', hashes),
      new ItemEncryption(`${TEST_SECRET}!`, 'sw').encrypt('one', hashes),
    ]);
    // 40,000 numbers of 56 bits: two are the same by chance once in 90 million tries.
    expect(new Set(sets.flat()).size).toBe(4 * hashes.length);
  });
});
