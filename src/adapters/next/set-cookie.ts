import type { CookieSetting, Cookies } from 'next/headers.js';

/** Sets a cookie by Next's function, from a Set-Cookie line of ours. */
export function setCookie(cookies: Cookies, line: string): void {
  const [pair = '', ...attributes] = line.split('; ');
  const equals = pair.indexOf('=');
  const setting: Record<string, unknown> = {
    name: pair.slice(0, equals),
    // Next encodes it again.
    value: decodeURIComponent(pair.slice(equals + 1)),
  };
  for (const attribute of attributes) {
    const [name = '', value = ''] = attribute.split('=');
    const read = READERS[name.toLowerCase()];
    if (read) Object.assign(setting, read(value));
  }
  cookies.set(setting as unknown as CookieSetting);
}

const READERS: Readonly<Record<string, (value: string) => Partial<CookieSetting>>> = {
  path: (path) => ({ path }),
  domain: (domain) => ({ domain }),
  expires: (value) => ({ expires: new Date(value) }),
  'max-age': (value) => ({ maxAge: Number(value) }),
  secure: () => ({ secure: true }),
  httponly: () => ({ httpOnly: true }),
  samesite: (value) => ({ sameSite: value.toLowerCase() as 'lax' }),
};
