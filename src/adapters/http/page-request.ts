import { normalizeItem } from '../../protocol/index.ts';

/* page-request.ts: page views, visitors and bearer tokens, read off a request. */

/** Parts of a request that decide whether it is a page view, and which token it has. */
export interface PageRequest {
  readonly method?: string | undefined;
  /** Returns the value of a header; the name is in lower case. */
  header(name: string): string | undefined;
}

/** Who counts a page view: the middleware, a script of the page, or nobody. */
export type PageviewMode = 'server' | 'browser' | 'off';

/** Returns the bearer token of the Authorization header. */
export function bearerOf(request: Pick<PageRequest, 'header'>): string | undefined {
  const authorization = request.header('authorization');
  return authorization === undefined ? undefined : /^Bearer +([^\s]+) *$/i.exec(authorization)?.[1];
}

/** Whether a request asks for a page that a person sees: GET, no prefetch, and a document if the browser sends
 *  Sec-Fetch-Dest. */
export function isDocument(request: PageRequest): boolean {
  return asksForDocument(request) && !isAhead(request);
}

/** Whether a request fetches a document before a person asks for it. */
export function isFetchedAhead(request: PageRequest): boolean {
  return asksForDocument(request) && isAhead(request);
}

function asksForDocument(request: PageRequest): boolean {
  const destination = request.header('sec-fetch-dest');
  if (request.method !== 'GET' || asksForEvents(request)) return false;
  return destination === undefined || destination === 'document';
}

/** Whether a request is an EventSource's, which shows nothing by itself. */
function asksForEvents(request: Pick<PageRequest, 'header'>): boolean {
  return request.header('accept')?.includes('text/event-stream') === true;
}

function isAhead(request: PageRequest): boolean {
  const purpose = request.header('sec-purpose') ?? request.header('purpose') ?? request.header('x-purpose');
  return purpose !== undefined && /prefetch|preview/i.test(purpose);
}

/** Whether a browser that has no visitor's cookie may be given one with the answer to this request. Not with an image or a
 *  frame: a page's requests side by side would each begin another visitor, and browsers keep no cookie of ours in what
 *  another site shows. */
export function mayBeginVisitor(request: PageRequest): boolean {
  if (request.method === 'HEAD' || request.method === 'OPTIONS' || asksForEvents(request)) return false;
  const destination = request.header('sec-fetch-dest');
  if (destination === 'empty') return request.header('sec-fetch-site') !== 'cross-site';
  return destination === undefined || destination === 'document';
}

/** Returns the path of a request's URL, as it is counted. */
export function pathOf(url: string): string {
  try {
    return normalizeItem(url);
  } catch {
    return url.split(/[?#]/, 1)[0]!;
  }
}
