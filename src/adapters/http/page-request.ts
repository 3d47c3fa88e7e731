/* page-request.ts: page views and bearer tokens, read off a request. */

/** Parts of a request that decide whether it is a page view, and which token it has. */
export interface PageRequest {
  readonly method?: string | undefined;
  /** Returns the value of a header; the name is in lower case. */
  header(name: string): string | undefined;
}

/** Treatment of a page view: counted and not waited for, counted and answered, or nothing. */
export type PageviewMode = 'publish' | 'request' | 'off';

/** Returns the bearer token of the Authorization header. */
export function bearerOf(request: Pick<PageRequest, 'header'>): string | undefined {
  const authorization = request.header('authorization');
  return authorization === undefined ? undefined : /^Bearer +([^\s]+) *$/i.exec(authorization)?.[1];
}

/** Whether a request asks for a page that a person sees: GET, no prefetch, and a document if the browser sends
 *  Sec-Fetch-Dest. */
export function isDocument(request: PageRequest): boolean {
  if (request.method !== 'GET') return false;
  const purpose = request.header('sec-purpose') ?? request.header('purpose') ?? request.header('x-purpose');
  if (purpose !== undefined && /prefetch|preview/i.test(purpose)) return false;
  const destination = request.header('sec-fetch-dest');
  return destination === undefined || destination === 'document';
}
