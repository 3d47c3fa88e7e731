import type { IncomingMessage, ServerResponse } from 'node:http';
import { isDocument } from '../index.ts';
import type { NextVisit } from './next-visit.ts';

/* next-views.ts: which requests of Next are page views. Its router asks for the pages that a link leads to by `fetch`, and
 * for those of links that are merely in sight as well. Next hides the headers that tell them apart from the proxy and from
 * pages, so a request that may be a view is looked at again when its answer has ended, as Node had received it. */

/** Whether a request may be a page view: a document, or what the router of the page asks for. */
export function mayBeView(visit: NextVisit): boolean {
  return isDocument(visit) || isRouters(visit);
}

/** Whether the answer to such a request showed a page. */
export function showedPage(visit: NextVisit, { headers }: IncomingMessage, response: ServerResponse): boolean {
  if (headers['next-router-prefetch'] !== undefined || headers['next-router-segment-prefetch'] !== undefined)
    return false;
  if (headers.rsc === undefined && isDocument(visit)) return true;
  return headers.rsc !== undefined && String(response.getHeader('content-type')).startsWith('text/x-component');
}

function isRouters(visit: NextVisit): boolean {
  return (
    visit.method === 'GET' &&
    visit.header('sec-fetch-dest') === 'empty' &&
    visit.header('sec-fetch-site') === 'same-origin'
  );
}
