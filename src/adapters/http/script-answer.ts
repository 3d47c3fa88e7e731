import { scriptName } from './served-script.ts';

/** An answer that needs nothing else. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers a request for a script. Under another name than the present one (a page that a cache has kept since another
 *  version) it is the present one, about which caches ask each time. `isPrivate`: whether the answer may get a cookie of a
 *  session, so that no shared cache may keep it. */
export function scriptAnswer(
  text: string,
  path: string,
  { ifNoneMatch, isPrivate }: { readonly ifNoneMatch: string | undefined; readonly isPrivate: boolean },
): PlainAnswer {
  const scope = isPrivate ? 'private' : 'public';
  const name = scriptName(text);
  const etag = `"${name}"`;
  const isPresent = path.endsWith(`/${name}.js`);
  const headers = {
    'Cache-Control': isPresent ? `${scope}, max-age=31536000, immutable` : `${scope}, no-cache`,
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
      'Content-Length': String(Buffer.byteLength(text)),
      'X-Content-Type-Options': 'nosniff',
    },
    body: text,
  };
}
