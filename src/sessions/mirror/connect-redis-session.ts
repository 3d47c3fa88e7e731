import type { ExpiryOptions, ExpiryPolicy } from '../expiry/expiry-policy.ts';
import { type CookieExpiry, type SessionFields, writeFields } from '../record/session-fields.ts';

/** A session as connect-redis keeps it. */
export interface ConnectRedisSession {
  readonly fields: SessionFields;
  readonly cookie: CookieExpiry | undefined;
  /** `cookie.originalMaxAge`. */
  readonly maxAge: unknown;
}

/** Reads connect-redis' JSON; undefined where the text is no session. */
export function readConnectRedisSession(text: string): ConnectRedisSession | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('cookie' in value)) return undefined;
    const { cookie } = value;
    if (typeof cookie !== 'object' || cookie === null) return undefined;
    return { ...writeFields(value), maxAge: (cookie as { originalMaxAge?: unknown }).originalMaxAge };
  } catch {
    return undefined;
  }
}

/** Decides when a session of connect-redis ends. connect-redis renews the key and not `cookie.expires` within it, so the
 *  key's time to live counts. With `disableTTL` the key has none (`leftMs` below 0) and is never renewed: then the session
 *  counts as renewed now. */
export function expiryOfConnectRedis(
  policy: ExpiryPolicy,
  { cookie, maxAge }: ConnectRedisSession,
  leftMs: number,
): ExpiryOptions {
  const expiry =
    leftMs > 0 ? policy.expiryFor(Date.now() + leftMs) : (policy.expiryForAge(maxAge) ?? policy.expiryFor(undefined));
  return { ...expiry, cookieExpiresAt: (cookie?.expiresAt ?? 0) === 0 ? 0 : expiry.cookieExpiresAt };
}
