import { randomBytes } from 'node:crypto';
import { FF1 } from '@noble/ciphers/ff1.js';
import { describe, expect, it } from 'vitest';
import { Ff1, HALF_BITS } from '../../src/knowledge/ff1.ts';

/* NIST has no sample of radix 2. So the second implementation is held against NIST's samples, and ours against the second
 * implementation. */

const KEY = Buffer.from('2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94', 'hex');
const TWEAK_36 = Buffer.from('3737373770717273373737', 'hex');

const digits = (text: string): number[] => [...text].map((digit) => Number.parseInt(digit, 36));
const textOf = (numbers: readonly number[]): string => numbers.map((digit) => digit.toString(36)).join('');
const bitsOf = (halves: Iterable<number>): number[] =>
  [...halves].flatMap((half) => Array.from({ length: HALF_BITS }, (_, bit) => (half >>> (HALF_BITS - 1 - bit)) & 1));
const randomHalves = (count: number): Uint32Array =>
  Uint32Array.from({ length: 2 * count }, () => randomBytes(4).readUInt32BE() >>> (32 - HALF_BITS));

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
      const tweak = randomBytes(round % 40).toString('hex');
      const ours = new Ff1(key);
      const theirs = FF1(2, key, Buffer.from(tweak, 'latin1'));
      const plain = randomHalves(100);
      const together = plain.slice();
      ours.run([{ tweak, halves: together, encrypts: true }]);
      for (let at = 0; at < plain.length; at += 2) {
        expect(bitsOf(together.subarray(at, at + 2))).toEqual(theirs.encrypt(bitsOf(plain.subarray(at, at + 2))));
      }
      const alone = plain.slice(0, 2);
      ours.run([{ tweak, halves: alone, encrypts: true }]);
      expect(alone).toEqual(together.slice(0, 2));
      // Jobs of several tweaks, both ways, in one run.
      const other = plain.slice(0, 6);
      ours.run([
        { tweak: `${tweak}!`, halves: other, encrypts: true },
        { tweak, halves: together, encrypts: false },
        { tweak, halves: alone, encrypts: false },
      ]);
      expect(together).toEqual(plain);
      expect(alone).toEqual(plain.slice(0, 2));
      expect(bitsOf(other.subarray(4, 6))).toEqual(
        FF1(2, key, Buffer.from(`${tweak}!`, 'latin1')).encrypt(bitsOf(plain.subarray(4, 6))),
      );
    }
  });

  it('gives other numbers under another tweak, and back again under the first', () => {
    const ff1 = new Ff1(KEY);
    const run = (tweak: string, plain: Uint32Array, encrypts = true): Uint32Array => {
      const halves = plain.slice();
      ff1.run([{ tweak, halves, encrypts }]);
      return halves;
    };
    const plain = Uint32Array.of(7, 7);
    const first = run('a', plain);
    expect(run('b', plain)).not.toEqual(first);
    expect(run('a', plain)).toEqual(first);
    expect(run('b', first, false)).not.toEqual(plain);
  });

  it('encrypts no numbers to nothing', () => {
    const none = new Uint32Array(0);
    new Ff1(KEY).run([{ tweak: 'a', halves: none, encrypts: true }]);
    new Ff1(KEY).run([]);
    expect(none).toHaveLength(0);
  });
});
