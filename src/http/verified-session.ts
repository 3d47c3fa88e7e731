import { isOwnToken, sessionOf } from '../protocol/index.ts';

/** What can tell whether a token is one that it gave: SessionData. */
export interface TokenVerifier {
  load(token: string): Promise<{ readonly session: string } | undefined>;
}

/** The session that a bearer token acts for; undefined for none.
 *
 *  The session's id is public, and a token of our own form begins with it: whoever has read the one could make up the
 *  other. So such a token counts only where the store knows its secret. Any other token is hashed, and nobody makes up
 *  one for a given session. */
export function sessionOfBearer(
  token: string,
  verifier: TokenVerifier | undefined,
): string | undefined | Promise<string | undefined> {
  if (!isOwnToken(token)) return sessionOf(token);
  return verifier?.load(token).then(
    (loaded) => loaded?.session,
    () => undefined,
  );
}
