import { hash, timingSafeEqual } from 'node:crypto';
import { secretOf, sessionOf } from '../../protocol/index.ts';

/** The longest token that is accepted, in characters. */
export const MAX_TOKEN_LENGTH = 4096;

/** A session and the hash that proves the right to use it. */
export interface TokenCredential {
  /** The public id. */
  readonly session: string;
  /** SHA-256 of the token's secret. Redis holds only this. */
  readonly hash: Buffer;
  /** The token itself: names connect-redis' record of the session. */
  readonly token: string;
}

/** Reads a token of any origin. Undefined: no string, empty, or above 4,096 characters. */
export function readToken(token: unknown): TokenCredential | undefined {
  if (typeof token !== 'string' || token === '' || token.length > MAX_TOKEN_LENGTH) return undefined;
  // As text and from there: Node makes a Buffer of a hash at three times the cost.
  const secretHash = Buffer.from(hash('sha256', secretOf(token), 'binary'), 'latin1');
  return { session: sessionOf(token), hash: secretHash, token };
}

/** Compares two hashes in constant time. */
export function sameHash(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
