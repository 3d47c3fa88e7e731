import { checkOptions, type OptionForms } from '../../protocol/internal/index.ts';
import { COOKIE_OPTIONS, checkVisitorCookie } from '../http/visitor-cookie-options.ts';

/** The cookie that carries the session's token. It is always HttpOnly. */
export interface SessionCookieOptions {
  /** Default `sid`. */
  readonly name?: string;
  /** How long the browser keeps the cookie, in milliseconds, and how long the session may rest. Default: until the browser
   *  is closed; the session rests for the store's `idleMs`. */
  readonly maxAge?: number;
  /** Default: none, so that only the host that set it gets it back. */
  readonly domain?: string;
  /** Default `/`. */
  readonly path?: string;
  /** Default `lax`. */
  readonly sameSite?: 'lax' | 'strict' | 'none';
  /** Default `auto`: `Secure` where the request came over https, as the framework says. */
  readonly secure?: boolean | 'auto';
}

/** Options of `sw.session`, in frameworks without sessions of their own. */
export interface WebSessionOptions {
  readonly cookie?: SessionCookieOptions;
  /** Whether each answer sets the cookie again, so that `cookie.maxAge` counts from the last visit and not from the first. It
   *  costs a look into Redis with each request. Default false. */
  readonly rolling?: boolean;
}

/** Forms of the options of `sw.session`, for `checkOptions`. */
export const WEB_SESSION_OPTIONS: OptionForms<WebSessionOptions> = { cookie: 'object', rolling: 'boolean' };

const ELSEWHERE = {
  httpOnly: 'this cookie is always HttpOnly: leave it out.',
  signed: 'its token is a secret of 256 bits, which needs no signature: leave it out.',
  expires: 'give maxAge, in milliseconds.',
};

/** Reads and writes the cookies of sessions. */
export class SessionCookie {
  readonly name: string;
  /** Undefined for a cookie that ends with the browser's session. */
  readonly maxAgeMs: number | undefined;
  readonly isRolling: boolean;
  readonly #attributes: string;
  readonly #sameSite: string;
  readonly #secure: boolean | 'auto';

  /** `owner`: the function that takes the options, for messages.
   *  @throws RangeError for an option that is unknown or cannot be used. */
  constructor(owner: string, { cookie = {}, rolling = false }: WebSessionOptions = {}) {
    checkOptions(`${owner}: cookie`, cookie, COOKIE_OPTIONS, ELSEWHERE);
    const { domain, path, sameSite, secure, name } = checkVisitorCookie(owner, {
      ...given(cookie),
      name: cookie.name ?? 'sid',
    });
    if (rolling && cookie.maxAge === undefined) {
      throw new RangeError(
        `${owner}: rolling renews a cookie with an end, and this one has none: give cookie: { maxAge }, or leave rolling out.`,
      );
    }
    this.name = name;
    this.maxAgeMs = cookie.maxAge;
    this.isRolling = rolling;
    this.#attributes = `; Path=${path}${domain === undefined ? '' : `; Domain=${domain}`}`;
    this.#sameSite = `${sameSite[0]!.toUpperCase()}${sameSite.slice(1)}`;
    this.#secure = secure;
  }

  /** Reads the token off a Cookie header; undefined where there is none. */
  read(header: string | undefined): string | undefined {
    for (const pair of header?.includes(this.name) ? header.split(';') : []) {
      const text = pair.trim();
      if (!text.startsWith(`${this.name}=`)) continue;
      return decoded(text.slice(this.name.length + 1));
    }
    return undefined;
  }

  /** Returns the Set-Cookie line for a token. `endsAt`: milliseconds of the epoch; undefined where it ends with the browser. */
  line(token: string, isSecure: boolean, endsAt: number | undefined): string {
    const end = endsAt === undefined ? '' : `; Expires=${new Date(endsAt).toUTCString()}`;
    return `${this.name}=${encodeURIComponent(token)}${this.#attributes}${end}${this.#flags(isSecure)}`;
  }

  /** Returns the Set-Cookie line that removes the cookie. */
  removal(isSecure: boolean): string {
    return `${this.name}=${this.#attributes}; Max-Age=0${this.#flags(isSecure)}`;
  }

  #flags(isSecure: boolean): string {
    const secure = this.#secure === true || (this.#secure === 'auto' && isSecure) ? '; Secure' : '';
    return `${secure}; HttpOnly; SameSite=${this.#sameSite}`;
  }
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value) || undefined;
  } catch {
    // Not of ours: we write each token encoded.
    return undefined;
  }
}

function given<Options extends object>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options;
}
