import { randomBytes } from 'node:crypto';
import { FF1 } from '@noble/ciphers/ff1.js';
import { describe, expect, it } from 'vitest';
import { Ff1, ITEM_BYTES } from '../../src/knowledge/ff1.ts';

/* NIST has no sample of radix 2. So the second implementation is held against NIST's samples, and ours against the second
 * implementation. */

const KEY = Buffer.from('2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94', 'hex');
const TWEAK_36 = Buffer.from('3737373770717273373737', 'hex');

const digits = (text: string): number[] => [...text].map((digit) => Number.parseInt(digit, 36));
const textOf = (numbers: readonly number[]): string => numbers.map((digit) => digit.toString(36)).join('');
const bitsOf = (item: Uint8Array): number[] =>
  [...item].flatMap((byte) => Array.from({ length: 8 }, (_, bit) => (byte >>> (7 - bit)) & 1));

describe('the second implementation of FF1', () => {
  // SP 800-38G, FF1 samples 7 to 9: AES-256.
  it.each([
    ['0123456789', '6657667009', 10, Buffer.alloc(0)],
    ['0123456789', '1001623463', 10, Buffer.from('39383736353433323130', 'hex')],
    ['0123456789abcdefghi', 'xs8a0azh2avyalyzuwd', 36, TWEAK_36],
  ])('encrypts %s to %s, as NIST does', (plain, encrypted, radix, tweak) => {
    expect(textOf(FF1(radix, KEY, tweak).encrypt(digits(plain)))).toBe(encrypted);
  });
});

describe('FF1 of 56 bits', () => {
  it('agrees with the second implementation in 10,000 cases, one by one and together', () => {
    for (let round = 0; round < 100; round += 1) {
      const key = randomBytes(32);
      const tweak = randomBytes(round % 40).toString('latin1');
      const ours = new Ff1(key);
      const theirs = FF1(2, key, Buffer.from(tweak, 'latin1'));
      const items = randomBytes(100 * ITEM_BYTES);
      const together = ours.encrypt(tweak, items);
      for (let at = 0; at < items.length; at += ITEM_BYTES) {
        const item = items.subarray(at, at + ITEM_BYTES);
        const encrypted = together.subarray(at, at + ITEM_BYTES);
        expect(bitsOf(encrypted)).toEqual(theirs.encrypt(bitsOf(item)));
      }
      expect(ours.encrypt(tweak, items.subarray(0, ITEM_BYTES))).toEqual(together.subarray(0, ITEM_BYTES));
      expect(ours.decrypt(tweak, together)).toEqual(items);
    }
  });

  it('gives other numbers under another tweak, and back again under the first', () => {
    const ff1 = new Ff1(KEY);
    const item = Buffer.alloc(ITEM_BYTES, 7);
    const first = ff1.encrypt('a', item);
    expect(ff1.encrypt('b', item)).not.toEqual(first);
    expect(ff1.encrypt('a', item)).toEqual(first);
    expect(ff1.decrypt('b', first)).not.toEqual(item);
  });

  it('encrypts no items to nothing, and refuses half an item', () => {
    const ff1 = new Ff1(KEY);
    expect(ff1.encrypt('a', Buffer.alloc(0))).toHaveLength(0);
    expect(() => ff1.encrypt('a', Buffer.alloc(ITEM_BYTES + 1))).toThrow(RangeError);
  });
});
