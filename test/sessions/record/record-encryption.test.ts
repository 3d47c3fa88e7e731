import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SessionDataError } from '../../../src/sessions/errors/session-data-error.ts';
import { endedSecret, RecordEncryption } from '../../../src/sessions/record/record-encryption.ts';

const KEY = randomBytes(32);
const PLAIN = Buffer.from('["who","ada"]');
const OWNER = { session: 's1', secret: randomBytes(32), user: 'a user of 28 characters, so.', version: 7 };

describe('the encryption of a record', () => {
  it('opens what it closed, and never closes twice to the same', () => {
    const seal = new RecordEncryption([KEY], 'sw');
    const [one, other] = [seal.encrypt(OWNER, PLAIN), seal.encrypt(OWNER, PLAIN)];
    expect(seal.decrypt(OWNER, one)).toEqual(PLAIN);
    expect(seal.decrypt(OWNER, other)).toEqual(PLAIN);
    expect(one.equals(other)).toBe(false);
    expect(one.includes('ada')).toBe(false);
    expect(seal.decrypt(OWNER, seal.encrypt(OWNER, Buffer.alloc(0)))).toEqual(Buffer.alloc(0));
  });

  it('a key is the same as Buffer, Uint8Array, base64, base64url and hex', () => {
    const sealed = new RecordEncryption([KEY], 'sw').encrypt(OWNER, PLAIN);
    for (const key of [
      new Uint8Array(KEY),
      KEY.toString('base64'),
      KEY.toString('base64url'),
      KEY.toString('hex'),
      KEY.toString('hex').toUpperCase(),
    ]) {
      expect(new RecordEncryption([key], 'sw').decrypt(OWNER, sealed)).toEqual(PLAIN);
    }
  });

  it('an old key behind a new one opens, and the new one seals', () => {
    const next = randomBytes(32);
    const [before, both, after] = [
      new RecordEncryption([KEY], 'sw'),
      new RecordEncryption([next, KEY], 'sw'),
      new RecordEncryption([next], 'sw'),
    ];
    const old = before.encrypt(OWNER, PLAIN);
    expect(both.decrypt(OWNER, old)).toEqual(PLAIN);
    expect(after.decrypt(OWNER, both.encrypt(OWNER, PLAIN))).toEqual(PLAIN);
    expect(() => after.decrypt(OWNER, old)).toThrow(/another key \([0-9a-f]{8}\)/);
    expect(() => after.decrypt(OWNER, old)).toThrow(SessionDataError);
  });

  it('what of the header it was sealed for must be the same', () => {
    const seal = new RecordEncryption([KEY], 'sw');
    const sealed = seal.encrypt(OWNER, PLAIN);
    for (const other of [
      { secret: randomBytes(32) },
      { user: undefined },
      { user: 'another of 28 characters, so' },
      { version: 8 },
      { session: 's2' },
      // The mark of an ended record is no secret of a living one, nor the other way round.
      { secret: endedSecret(OWNER.secret) },
      { ended: true },
    ]) {
      expect(() => seal.decrypt({ ...OWNER, ...other }, sealed), JSON.stringify(other)).toThrow(SessionDataError);
    }
    expect(seal.decrypt({ ...OWNER, ended: true, secret: endedSecret(OWNER.secret) }, sealed)).toEqual(PLAIN);
  });

  it("another session's, another namespace's, cut and changed texts are refused", () => {
    const seal = new RecordEncryption([KEY], 'sw');
    const sealed = seal.encrypt(OWNER, PLAIN);
    expect(() => seal.decrypt({ ...OWNER, session: 's2' }, sealed)).toThrow(SessionDataError);
    expect(() => new RecordEncryption([KEY], 'other').decrypt(OWNER, sealed)).toThrow(SessionDataError);
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => seal.decrypt(OWNER, sealed.subarray(0, length))).toThrow(SessionDataError);
    }
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(() => seal.decrypt(OWNER, changed)).toThrow(SessionDataError);
    }
  });

  it.each([
    ['none', []],
    ['short bytes', [randomBytes(31)]],
    ['a password', ['correct horse battery staple']],
    ['short hex', [KEY.toString('hex').slice(1)]],
    ['no text', [7 as unknown as string]],
    ['the second one', [KEY, 'x']],
  ])('keys that are none are refused: %s', (_, keys) => {
    expect(() => new RecordEncryption(keys, 'sw')).toThrow(RangeError);
    expect(() => new RecordEncryption(keys, 'sw')).toThrow(/encryption\.keys/);
  });

  it('an error shows no key', () => {
    const secret = 'correct horse battery staple';
    expect(() => new RecordEncryption([secret], 'sw')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(secret) }),
    );
  });
});
