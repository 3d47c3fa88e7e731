import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { MAX_TOKEN_LENGTH, readToken, sameHash } from '../../../src/sessions/tokens/token-credential.ts';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

describe('the credential of a token', () => {
  it('a token of our own: the session in front, the hash of the secret behind the dot', () => {
    const token = createToken();
    expect(readToken(token)).toEqual({ session: token.slice(0, 25), hash: sha256(token.slice(26)), token });
  });

  it('any other token: all of it is secret', () => {
    for (const token of ['x', 'a.b', `${createToken()}x`, createToken().toUpperCase(), '🚲', ' ', '\0']) {
      expect(readToken(token)).toEqual({ session: sessionOf(token), hash: sha256(token), token });
    }
    expect(readToken('sessionwise')?.session).toBe('kbus6dn33vhgjvq213cakipfm');
  });

  it('what can be no token is none', () => {
    for (const token of [undefined, null, 7, '', {}, ['a'], Buffer.from('a'), 'x'.repeat(MAX_TOKEN_LENGTH + 1)]) {
      expect(readToken(token)).toBeUndefined();
    }
    expect(readToken('x'.repeat(MAX_TOKEN_LENGTH))).toBeDefined();
  });

  it('hashes are compared whole', () => {
    const hash = sha256('a');
    expect(sameHash(hash, Buffer.from(hash))).toBe(true);
    expect(sameHash(hash, sha256('b'))).toBe(false);
    expect(sameHash(hash, hash.subarray(0, 31))).toBe(false);
    expect(sameHash(hash, Buffer.alloc(0))).toBe(false);
    for (let at = 0; at < hash.length; at += 1) {
      const other = Buffer.from(hash);
      other[at]! ^= 0x80;
      expect(sameHash(hash, other)).toBe(false);
    }
  });
});
