import type { IncomingHttpHeaders } from 'node:http';

/* What the adapters of web frameworks read off a request. */

/** What they need of it. */
export interface PageRequest {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** What is done with a page view: counted and not waited for, counted and answered, or nothing. */
export type PageviewMode = 'publish' | 'request' | 'off';

/** A bearer token of the Authorization header. */
export function bearerOf({ headers }: PageRequest): string | undefined {
  return /^Bearer +([^\s]+) *$/i.exec(headers.authorization ?? '')?.[1];
}

/** Whether a request asks for a page that somebody sees: GET, no prefetch, and a document where the browser says what
 *  it is. */
export function isDocument({ method, headers }: PageRequest): boolean {
  if (method !== 'GET') return false;
  const purpose = headers['sec-purpose'] ?? headers.purpose ?? headers['x-purpose'];
  if (typeof purpose === 'string' && /prefetch|preview/i.test(purpose)) return false;
  const destination = headers['sec-fetch-dest'];
  return destination === undefined || destination === 'document';
}
