import { checkOptions, type OptionForms } from '../../protocol/internal/index.ts';

/** The cookie by which a browser is the same visitor again. */
export interface VisitorCookieOptions {
  /** Its name. Over https `__Host-sessionwise` keeps other hosts of your domain from planting one. Default `sessionwise`. */
  readonly name?: string;
  /** How long a browser that does not come back keeps it, in milliseconds. Default 400 days, the most that browsers allow.
   *  It is renewed once a day at most. */
  readonly maxAge?: number;
  /** The domain that it is sent to. With another domain or path give another name too: browsers keep the cookie of before
   *  beside the new one. Default: none, so that only the host that set it gets it back. */
  readonly domain?: string;
  /** The path that it is sent to. Default `/`. */
  readonly path?: string;
  /** Whether requests of other sites carry it. Default `lax`. */
  readonly sameSite?: 'lax' | 'strict' | 'none';
  /** Whether browsers send it over https only. Default: `auto`, `Secure` where the request came over https, as the framework
   *  says (behind a proxy with its setting to trust that). */
  readonly secure?: boolean | 'auto';
}

/** Forms of the options of a cookie, for `checkOptions`. */
export const COOKIE_OPTIONS: OptionForms<VisitorCookieOptions> = {
  name: 'string',
  maxAge: 'count',
  domain: 'string',
  path: 'string',
  sameSite: '"lax"|"strict"|"none"',
  secure: 'boolean|"auto"',
};
const DEFAULT_MAX_AGE_MS = 400 * 86_400_000;
// RFC 6265, section 4.1.1: a token for the name, and no semicolon or control character in the rest.
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const VALUE = /^[\x20-\x3a\x3c-\x7e]+$/;

/** Checks the option `cookie` and fills in the defaults. `owner`: the middleware's name in messages.
 *  @throws RangeError for an option that is unknown or cannot be used. */
export function checkVisitorCookie(
  owner: string,
  options: VisitorCookieOptions,
): Required<Omit<VisitorCookieOptions, 'domain'>> & { readonly domain: string | undefined } {
  checkOptions(`${owner}: cookie`, options, COOKIE_OPTIONS);
  const { name = 'sessionwise', path = '/', sameSite = 'lax', secure = 'auto', domain } = options;
  const refuse = (option: string, value: string, instead: string): never => {
    throw new RangeError(`${owner}: cookie.${option} ${JSON.stringify(value)} cannot be used: give ${instead}.`);
  };
  if (!NAME.test(name)) refuse('name', name, 'letters, digits, _ and -');
  if (!VALUE.test(path) || !path.startsWith('/')) refuse('path', path, 'a path that begins with /');
  if (domain !== undefined && !VALUE.test(domain)) refuse('domain', domain, 'a host name');
  checkPrefix(owner, name, { secure, isHostOnly: domain === undefined && path === '/' });
  if (sameSite === 'none' && secure === false) {
    throw new RangeError(
      `${owner}: browsers take no cookie with sameSite "none" that is not secure: leave secure out.`,
    );
  }
  return { name, maxAge: options.maxAge ?? DEFAULT_MAX_AGE_MS, domain, path, sameSite, secure };
}

// RFC 6265bis, section 4.1.3: browsers throw other cookies of such a name away, and each page would begin a visitor.
function checkPrefix(
  owner: string,
  name: string,
  { secure, isHostOnly }: { readonly secure: boolean | 'auto'; readonly isHostOnly: boolean },
): void {
  const [prefix] = /^__(?:Host|Secure)-/i.exec(name) ?? [];
  if (prefix === undefined || (secure !== false && (isHostOnly || prefix.toLowerCase() !== '__host-'))) return;
  throw new RangeError(
    `${owner}: browsers take a cookie whose name begins with ${prefix} only over https, and with __Host- only with path "/" and without a domain: leave these options out.`,
  );
}
