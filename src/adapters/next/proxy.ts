import { type PlainAnswer, StoreUnavailableError } from '../index.ts';
import { REQUEST_HEADER, whenFinished } from './finished-answers.ts';
import type { NextSite } from './next-site.ts';
import { showedPage } from './next-views.ts';
import { NextVisit, PAGE_HEADER } from './next-visit.ts';

/** Makes the function of `proxy.ts`: it keeps the cookies of visitors and sessions, has page views counted, and answers the
 *  requests of the script for pages. */
export function makeProxy(site: NextSite): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const { method, headers } = request;
    const visit = new NextVisit({ method, url: pathname + search, headers, isReadOnly: false });
    try {
      await site.open(visit);
    } catch (error) {
      // The page says so itself, where it needs the session.
      if (error instanceof StoreUnavailableError) return goOn(visit);
      throw error;
    }
    const answer = await site.knowledge?.script?.answer(visit, site.pageOf(visit), true, () => bodyOf(request));
    if (answer) return withLines(visit, responseOf(answer));
    await site.attach(visit);
    // An action does so itself, and may rotate.
    if (method === 'GET' || method === 'HEAD') await site.save(visit).catch(() => undefined);
    return goOn(visit);
  };
}

async function goOn(visit: NextVisit): Promise<Response> {
  const { NextResponse } = await import('next/server.js');
  const lines = visit.takeLines();
  const headers = new Headers(visit.headers);
  headers.set(PAGE_HEADER, visit.url);
  headers.delete(REQUEST_HEADER);
  if (visit.ends.length > 0) headers.set(REQUEST_HEADER, watch(visit));
  // Pages of this request have the cookies that its answer sets.
  for (const [name, line] of lines) if (name === 'Set-Cookie') headers.set('cookie', cookiesWith(headers, line));
  const response = NextResponse.next({ request: { headers } });
  for (const [name, value] of lines) response.headers.append(name, value);
  return response;
}

function watch(visit: NextVisit): string {
  return whenFinished((statusCode, request, response) => {
    if (!showedPage(visit, request, response)) return;
    for (const listener of visit.ends) listener(statusCode);
  });
}

function cookiesWith(headers: Headers, line: string): string {
  const pair = line.split(';', 1)[0]!;
  const name = pair.slice(0, pair.indexOf('=') + 1);
  const others = (headers.get('cookie') ?? '').split(/; */).filter((each) => each !== '' && !each.startsWith(name));
  return [...others, ...(pair === name ? [] : [pair])].join('; ');
}

function withLines(visit: NextVisit, response: Response): Response {
  for (const [name, value] of visit.takeLines()) response.headers.append(name, value);
  for (const listener of visit.ends) listener(response.status);
  return response;
}

function responseOf({ status, headers, body }: PlainAnswer): Response {
  return new Response(body === '' ? null : body, { status, headers });
}

function bodyOf({ body }: Request): AsyncIterable<Uint8Array> | undefined {
  return (body as AsyncIterable<Uint8Array> | null) ?? undefined;
}
