import { isOwnToken, sessionOf } from '../../protocol/index.ts';
import { isMistake } from '../../protocol/internal/index.ts';

/** Looks tokens up: SessionData. */
export interface TokenVerifier {
  /** Looks a token up. Undefined or null: no session has it. An object with a `session` names the session that the token
   *  acts for, and one with a `userId` its user. */
  load(token: string): Promise<object | null | undefined>;
  /** Renews a session that `load` gave, where that is due. Values without a cookie: its cookie's age counts from now. */
  touch?(token: string, values: object, loaded: never): Promise<unknown>;
}

/** Checks the option `store`.
 *  @throws RangeError for an object that looks no token up, a client for example. */
export function checkTokenStore(store: { readonly data?: Partial<TokenVerifier> } | undefined): void {
  if (store === undefined || typeof store.data?.load === 'function') return;
  throw new RangeError(
    'store is no SessionStore, which knows whose a bearer token is: give new SessionStore({ redis }).',
  );
}

export interface TokenOrigin {
  /** The id of the request's own session, whose signature the framework has checked. */
  readonly own: string | undefined;
  /** Whether a function of the site gave the token, and has checked it. */
  readonly isChecked: boolean;
  readonly store: TokenVerifier | undefined;
}

/** The session that a token acts for, and the user that it was given to. */
export interface TokenSession {
  readonly session: string;
  readonly userId?: string | undefined;
}

/** Finds the session that a token acts for; undefined for none, and where the store cannot say.
 *
 *  With a store, a bearer token counts only while the store knows it: not after a logout, nor after a rotation. A token
 *  of our own form is looked up even where a function of the site gave it, and without a store it acts for no session: it
 *  begins with the session's public id, so it can be made up. Any other token is hashed, so none can be made up for a
 *  given session.
 *
 *  A text that a mistake makes ("undefined", "null") is none: all clients with that mistake would be one session.
 *
 *  A session that is looked up is renewed, as a cookie's session is by its requests; the request does not wait for that. */
export function sessionOfToken(
  token: string | undefined,
  { own, isChecked, store }: TokenOrigin,
): TokenSession | undefined | Promise<TokenSession | undefined> {
  if (token === undefined || token === '' || isMistake(token)) return undefined;
  if (token === own || (!isOwnToken(token) && (isChecked || !store))) return { session: sessionOf(token) };
  return store?.load(token).then(
    (loaded) => {
      if (loaded) void store.touch?.(token, {}, loaded as never).catch(() => undefined);
      if (!loaded) return undefined;
      const { session, userId } = loaded as { readonly session?: unknown; readonly userId?: unknown };
      return {
        session: typeof session === 'string' ? session : sessionOf(token),
        userId: typeof userId === 'string' ? userId : undefined,
      };
    },
    () => undefined,
  );
}
