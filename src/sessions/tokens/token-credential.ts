import { hash, timingSafeEqual } from 'node:crypto';
import { secretOf, sessionOf } from '../../protocol/index.ts';

/** The longest token that is looked at, in characters. */
export const MAX_TOKEN_LENGTH = 4096;

/** What a token says, and what it is checked by. */
export interface TokenCredential {
  /** The public id. */
  readonly session: string;
  /** SHA-256 of the token's secret: what Redis holds of it. */
  readonly hash: Buffer;
}

/** Reads a token, whoever made it. Undefined for what can be none: no string, empty, or above 4,096 characters. */
export function readToken(token: unknown): TokenCredential | undefined {
  if (typeof token !== 'string' || token === '' || token.length > MAX_TOKEN_LENGTH) return undefined;
  return { session: sessionOf(token), hash: hash('sha256', secretOf(token), 'buffer') };
}

/** Whether two hashes are the same, in a time that does not tell how much of them is. */
export function sameHash(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
