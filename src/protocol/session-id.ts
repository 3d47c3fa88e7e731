import { hash, randomBytes } from 'node:crypto';

/* session-id.ts: from the secret in the cookie to the public id of the session.
 *
 * The token never leaves the serving layer; everything else (channels, keys, logs) carries the session. Our own tokens
 * carry it in front of the secret, so that a rotated secret keeps its session. Any other token is hashed: SHA-256 as a
 * big-endian integer mod 36^25, in base 36, left-padded with `0` to 25 characters. 36^25 is far below 2^256, so every
 * first character is equally likely and globs on it split the load. */

const OUR_TOKEN = /^([0-9a-z]{25})\.[A-Za-z0-9_-]{43}$/;
const SESSION_LENGTH = 25;
const SESSIONS = 36n ** BigInt(SESSION_LENGTH);

/** Returns the session of a token, our own or of another library: 25 of `[0-9a-z]`. The token cannot be computed from
 *  it. */
export function sessionOf(token: string): string {
  return OUR_TOKEN.exec(token)?.[1] ?? fold(hash('sha256', token, 'buffer'));
}

/** Whether a token has our own form. It may still be forged or expired. */
export function isOwnToken(token: string): boolean {
  return OUR_TOKEN.test(token);
}

/** Returns the secret part of a token: in our own form the part after the dot, else all of it. */
export function secretOf(token: string): string {
  return OUR_TOKEN.test(token) ? token.slice(SESSION_LENGTH + 1) : token;
}

/** A new token of our own: a session, a dot and a 256-bit secret in base64url. The session is random unless given. */
export function createToken(session: string = fold(randomBytes(32))): string {
  return `${session}.${randomBytes(32).toString('base64url')}`;
}

function fold(digest: Buffer): string {
  return (BigInt(`0x${digest.toString('hex')}`) % SESSIONS).toString(36).padStart(SESSION_LENGTH, '0');
}
