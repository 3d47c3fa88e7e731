import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ItemKey } from '../../src/structures/index.ts';
import { TEST_SECRET } from '../support/use-test-data.ts';

describe('item keys', () => {
  const itemKey = new ItemKey(TEST_SECRET);

  it('are the first 53 bits of the HMAC, in decimal', () => {
    const bits = createHmac('sha256', TEST_SECRET).update('page\0/a').digest().readBigUInt64BE(0) >> 11n;
    expect(itemKey.of('page', '/a')).toBe(bits.toString());
  });

  it('are safe integers, and an intset keeps them', () => {
    for (let i = 0; i < 10_000; i += 1) {
      const key = itemKey.of('page', `/p${i}`);
      expect(Number.isSafeInteger(Number(key)) && String(Number(key)) === key).toBe(true);
    }
  });

  it('keep the kinds apart, and the secrets', () => {
    expect(itemKey.of('notice', '/a')).not.toBe(itemKey.of('page', '/a'));
    expect(new ItemKey(`${TEST_SECRET}!`).of('page', '/a')).not.toBe(itemKey.of('page', '/a'));
    expect(new ItemKey(`${TEST_SECRET}!`).fingerprint()).not.toBe(itemKey.fingerprint());
  });

  it('stay the same when the cache has forgotten them', () => {
    const before = itemKey.of('item', 'first');
    for (let i = 0; i < 25_000; i += 1) itemKey.of('item', `other-${i}`);
    expect(itemKey.of('item', 'first')).toBe(before);
  });

  it('need a secret that is one', () => {
    expect(() => new ItemKey('short')).toThrow(/too short/);
  });
});
