import { isbot } from 'isbot';
import type { LogRequest } from '../replay/log-line.ts';

/* document-request.ts: a log does not say which requests were pages. What a page loads is known by the end of its path. */

const LOADED_BY_PAGES =
  /\.(?:avif|bmp|css|csv|eot|gif|gz|ico|jpe?g|js|json|map|mjs|mp[34]|ogg|otf|pdf|png|rss|svg|tar|tgz|ttf|txt|wasm|webm|webmanifest|webp|woff2?|xml|zip)$/i;
const MOST_CHARACTERS = 1_024;

/** Whether a request of a log looks like the view of a page by a person: GET, answered with 200 to 299 or 304, no file that
 *  pages load, no known robot. Logs without User-Agent pass as persons. */
export function isDocumentRequest({ method, status, path, userAgent }: LogRequest): boolean {
  if (method !== 'GET' || LOADED_BY_PAGES.test(path)) return false;
  if (status !== 304 && (status < 200 || status > 299)) return false;
  return userAgent === '' || !isbot(userAgent.slice(0, MOST_CHARACTERS));
}
