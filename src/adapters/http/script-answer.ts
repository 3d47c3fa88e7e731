import { PAGE_SCRIPT } from '../../browser/index.ts';
import type { BrowserScript } from './browser-script.ts';

/** An answer that needs nothing else. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers a request for the script. Under another name than the present one (a page that a cache has kept since another
 *  version) it is the present one, about which caches ask each time. `isPrivate`: whether the answer may get a cookie of a
 *  session, so that no shared cache may keep it. */
export function scriptAnswer(
  { src }: BrowserScript,
  path: string,
  { ifNoneMatch, isPrivate }: { readonly ifNoneMatch: string | undefined; readonly isPrivate: boolean },
): PlainAnswer {
  const scope = isPrivate ? 'private' : 'public';
  const etag = `"${src.slice(src.lastIndexOf('/') + 1, -'.js'.length)}"`;
  const headers = {
    'Cache-Control': path === src ? `${scope}, max-age=31536000, immutable` : `${scope}, no-cache`,
    ETag: etag,
  };
  if (ifNoneMatch?.split(',').some((each) => each.trim().replace(/^W\//, '') === etag)) {
    return { status: 304, headers, body: '' };
  }
  return {
    status: 200,
    headers: {
      ...headers,
      'Content-Type': 'text/javascript; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(PAGE_SCRIPT)),
      'X-Content-Type-Options': 'nosniff',
    },
    body: PAGE_SCRIPT,
  };
}
