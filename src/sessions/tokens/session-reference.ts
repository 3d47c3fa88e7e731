import { isSession } from '../../protocol/index.ts';
import { readToken, type TokenCredential } from './token-credential.ts';

/** Names a session for an operation, with or without a check of its secret. */
export interface ResolvedReference {
  readonly session: string;
  /** SHA-256 of the token's secret. Undefined skips the check: only for trusted callers (jobs, sweepers). */
  readonly hash: Buffer | undefined;
}

/** Names a session: by its token, whose secret is checked, or by its id, for code that needs no token (a job, a webhook). */
export type SessionReference = string | { readonly session: string };

/** Reads the credential of a token: its session and the hash of its secret.
 *  @throws RangeError for what can be no token. */
export function credentialOf(token: string): TokenCredential {
  const credential = readToken(token);
  if (credential) return credential;
  throw new RangeError('This can be no session token: give a string of 1 to 4,096 characters.');
}

/** Resolves a reference to the session and, of a token, the hash of its secret.
 *  @throws RangeError for what is neither a token nor a session. */
export function resolveReference(reference: SessionReference): ResolvedReference {
  if (typeof reference === 'string') return credentialOf(reference);
  if (typeof reference?.session !== 'string' || !isSession(reference.session)) {
    throw new RangeError('This is no session: give a token, or { session } with the id of one.');
  }
  return { session: reference.session, hash: undefined };
}
