import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ItemHasher } from '../../src/knowledge/index.ts';
import { TEST_SECRET } from '../support/use-test-data.ts';

describe('item hashes', () => {
  const hasher = new ItemHasher(TEST_SECRET, 'sw');

  it('are the first 53 bits of the HMAC', () => {
    const bits = createHmac('sha256', TEST_SECRET).update('sw\0page\0/a').digest().readBigUInt64BE(0) >> 11n;
    expect(hasher.of('page', '/a')).toBe(Number(bits));
  });

  it('keep the kinds apart, the namespaces and the secrets', () => {
    expect(hasher.of('notice', '/a')).not.toBe(hasher.of('page', '/a'));
    expect(new ItemHasher(TEST_SECRET, 'other').of('page', '/a')).not.toBe(hasher.of('page', '/a'));
    const other = new ItemHasher(`${TEST_SECRET}!`, 'sw');
    expect(other.of('page', '/a')).not.toBe(hasher.of('page', '/a'));
    expect(other.fingerprint()).not.toBe(hasher.fingerprint());
    expect(new ItemHasher(TEST_SECRET, 'other').fingerprint()).toBe(hasher.fingerprint());
  });

  it('stay the same when the cache has forgotten them', () => {
    const before = hasher.of('item', 'first');
    for (let i = 0; i < 25_000; i += 1) hasher.of('item', `other-${i}`);
    expect(hasher.of('item', 'first')).toBe(before);
  });

  it('need a secret that is one', () => {
    expect(() => new ItemHasher('short', 'sw')).toThrow(/too short/);
  });
});
