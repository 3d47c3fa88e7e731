/* next-modules.d.ts: the part of Next that the adapter uses. The package `next` takes 340 MB, so we do not install it for
 * its types; a site has the real ones. `.js`: the package has no `exports`, so Node finds its files by their names only. */

declare module 'next/headers.js' {
  export interface CookieSetting {
    readonly name: string;
    readonly value: string;
    readonly path?: string;
    readonly domain?: string;
    readonly expires?: Date;
    readonly maxAge?: number;
    readonly secure?: boolean;
    readonly httpOnly?: boolean;
    readonly sameSite?: 'lax' | 'strict' | 'none';
  }
  export interface Cookies {
    getAll(): readonly { readonly name: string; readonly value: string }[];
    set(cookie: CookieSetting): unknown;
  }
  export function cookies(): Promise<Cookies>;
  export function headers(): Promise<Headers>;
}

declare module 'next/server.js' {
  export const NextResponse: { next(init: { readonly request: { readonly headers: Headers } }): Response };
}
