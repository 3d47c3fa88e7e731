import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Seal } from '../../src/store/seal.ts';
import { SessionDataError } from '../../src/store/store-errors.ts';

const KEY = randomBytes(32);
const PLAIN = Buffer.from('["who","ada"]');

describe('seal', () => {
  test('opens what it closed, and never closes twice to the same', () => {
    const seal = new Seal([KEY], 'sw');
    const [one, other] = [seal.close('s1', PLAIN), seal.close('s1', PLAIN)];
    expect(seal.open('s1', one)).toEqual(PLAIN);
    expect(seal.open('s1', other)).toEqual(PLAIN);
    expect(one.equals(other)).toBe(false);
    expect(one.includes('ada')).toBe(false);
    expect(seal.open('s1', seal.close('s1', Buffer.alloc(0)))).toEqual(Buffer.alloc(0));
  });

  test('a key is the same as Buffer, Uint8Array, base64, base64url and hex', () => {
    const sealed = new Seal([KEY], 'sw').close('s1', PLAIN);
    for (const key of [
      new Uint8Array(KEY),
      KEY.toString('base64'),
      KEY.toString('base64url'),
      KEY.toString('hex'),
      KEY.toString('hex').toUpperCase(),
    ]) {
      expect(new Seal([key], 'sw').open('s1', sealed)).toEqual(PLAIN);
    }
  });

  test('an old key behind a new one opens, and the new one seals', () => {
    const next = randomBytes(32);
    const [before, both, after] = [new Seal([KEY], 'sw'), new Seal([next, KEY], 'sw'), new Seal([next], 'sw')];
    const old = before.close('s1', PLAIN);
    expect(both.open('s1', old)).toEqual(PLAIN);
    expect(after.open('s1', both.close('s1', PLAIN))).toEqual(PLAIN);
    expect(() => after.open('s1', old)).toThrow(/another key \([0-9a-f]{8}\)/);
    expect(() => after.open('s1', old)).toThrow(SessionDataError);
  });

  test("another session's, another namespace's, cut and changed texts are refused", () => {
    const seal = new Seal([KEY], 'sw');
    const sealed = seal.close('s1', PLAIN);
    expect(() => seal.open('s2', sealed)).toThrow(SessionDataError);
    expect(() => new Seal([KEY], 'other').open('s1', sealed)).toThrow(SessionDataError);
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => seal.open('s1', sealed.subarray(0, length))).toThrow(SessionDataError);
    }
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(() => seal.open('s1', changed)).toThrow(SessionDataError);
    }
  });

  test.each([
    ['none', []],
    ['short bytes', [randomBytes(31)]],
    ['a password', ['correct horse battery staple']],
    ['short hex', [KEY.toString('hex').slice(1)]],
    ['no text', [7 as unknown as string]],
    ['the second one', [KEY, 'x']],
  ])('keys that are none are refused: %s', (_, keys) => {
    expect(() => new Seal(keys, 'sw')).toThrow(RangeError);
    expect(() => new Seal(keys, 'sw')).toThrow(/encryption\.keys/);
  });

  test('an error shows no key', () => {
    const secret = 'correct horse battery staple';
    expect(() => new Seal([secret], 'sw')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(secret) }),
    );
  });
});
