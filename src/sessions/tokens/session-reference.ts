import { isSession } from '../../protocol/index.ts';
import { readToken, type TokenCredential } from './token-credential.ts';

/** A session, with the hash of its secret where that is checked. */
export interface ResolvedReference {
  readonly session: string;
  /** Undefined: skip the secret check. Only for trusted callers (jobs, sweepers, lists). */
  readonly hash: Buffer | undefined;
}

/** Whose data are meant: a token, which is checked; or a session's id, by code that needs no token (a job, a webhook). */
export type SessionReference = string | { readonly session: string };

/** The session of a token, and what the token is checked by.
 *  @throws RangeError for what can be no token. */
export function credentialOf(token: string): TokenCredential {
  const credential = readToken(token);
  if (credential) return credential;
  throw new RangeError('This can be no session token: give a string of 1 to 4,096 characters.');
}

/** Whom a target means.
 *  @throws RangeError for what is neither a token nor a session. */
export function resolveReference(reference: SessionReference): ResolvedReference {
  if (typeof reference === 'string') return credentialOf(reference);
  if (typeof reference?.session !== 'string' || !isSession(reference.session)) {
    throw new RangeError('This is no session: give a token, or { session } with the id of one.');
  }
  return { session: reference.session, hash: undefined };
}
