import { isSession } from '../../protocol/index.ts';
import { readToken, type TokenCredential } from './token-credential.ts';

/** Names a session for an operation, with or without a check of its secret. */
export interface ResolvedReference {
  readonly session: string;
  /** SHA-256 of the token's secret. Undefined skips the check: only for trusted callers (jobs, sweepers). */
  readonly hash: Buffer | undefined;
  /** Where the caller gave one. */
  readonly token?: string | undefined;
}

/** Names a session: by its token, which is checked; or by its public id, for trusted code without a token (jobs,
 *  webhooks). */
export type SessionReference = string | { readonly session: string };

/** Reads a token: its session, and the hash that proves it.
 *  @throws RangeError for a value that cannot be a token. */
export function credentialOf(token: string): TokenCredential {
  const credential = readToken(token);
  if (credential) return credential;
  throw new RangeError('This can be no session token: give a string of 1 to 4,096 characters.');
}

/** Resolves a reference to a session, and to the hash that is checked where a token was given.
 *  @throws RangeError for anything but a token or a session. */
export function resolveReference(reference: SessionReference): ResolvedReference {
  if (typeof reference === 'string') return credentialOf(reference);
  if (typeof reference?.session !== 'string' || !isSession(reference.session)) {
    throw new RangeError('This is no session: give a token, or { session } with the id of one.');
  }
  return { session: reference.session, hash: undefined };
}
