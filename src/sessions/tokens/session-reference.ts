import { isSession } from '../../protocol/index.ts';
import { readToken, type TokenCredential } from './token-credential.ts';

/** A session, with the hash of its secret where that is checked. */
export interface SessionAddress {
  readonly session: string;
  /** Undefined: skip the secret check. Only for trusted callers (jobs, sweepers, lists). */
  readonly hash: Buffer | undefined;
}

/** Whose data are meant: a token, which is checked; or a session's id, by code that needs no token (a job, a webhook). */
export type SessionTarget = string | { readonly session: string };

/** The session of a token, and what the token is checked by.
 *  @throws RangeError for what can be no token. */
export function credentialOf(token: string): TokenCredential {
  const credential = readToken(token);
  if (credential) return credential;
  throw new RangeError('This can be no session token: give a string of 1 to 4,096 characters.');
}

/** Whom a target means.
 *  @throws RangeError for what is neither a token nor a session. */
export function addressOf(target: SessionTarget): SessionAddress {
  if (typeof target === 'string') return credentialOf(target);
  if (typeof target?.session !== 'string' || !isSession(target.session)) {
    throw new RangeError('This is no session: give a token, or { session } with the id of one.');
  }
  return { session: target.session, hash: undefined };
}
