import type { SessionClient } from '../../client/index.ts';
import { checkOptions, type OptionForms } from '../../protocol/internal/index.ts';
import type { PageviewMode } from './page-request.ts';
import { checkTokenStore, type TokenVerifier } from './session-of-token.ts';

/** Options of an adapter's middleware; `Request` is the framework's. */
export interface HandleOptions<Request> {
  /** Asks the services. An adapter may require it; without one, no handle is attached and no page view counted. */
  readonly client?: SessionClient;
  /** The request's token; the session is made from it, and it goes nowhere else. Your function must have checked
   *  the token that it returns: a function that returns the framework's own id takes no bearer tokens, one that returns
   *  `keyOf(request) ?? ownId` takes API keys of your own. Default: a bearer token of the Authorization header, else the
   *  id of the framework's session, whose signature the framework has checked. A bearer token counts only while `store`
   *  knows it. A token of our own form (`createToken`) is looked up there even where your function returned it. */
  readonly token?: (request: Request) => string | undefined;
  /** The store that knows the bearer tokens. Default: that of the framework's sessions, where it is one of ours. Without
   *  one, a token of our own form belongs to no session, and any other is taken as it comes: then refuse those that you
   *  did not issue before this middleware. */
  readonly store?: { readonly data: TokenVerifier };
  /** Treatment of a page view: `publish` (default) counts it when `countWhen` says; `request` counts it at the start; `off` does nothing; a function chooses for each request. */
  readonly pageview?: PageviewMode | ((request: Request) => PageviewMode);
  /** When a page view counts. `end` (default): when its answer has ended with a status below 400, for the session that
   *  the request has then; a page that fails, that breaks off, or that ends its session counts nothing. `start`: before
   *  the page, whatever becomes of it. `pageview: 'request'` counts at the start; so does each request for which a function
   *  of `pageview` returns `request`. */
  readonly countWhen?: 'end' | 'start';
  /** Whether a redirect (300 to 399, but not 304) counts at the end of its answer, though it shows no document.
   *  Default true. */
  readonly countRedirects?: boolean;
  /** Whether a request is a page view at all. Default: GET, no prefetch, and a document if the browser sends
   *  Sec-Fetch-Dest. */
  readonly isPageview?: (request: Request) => boolean;
  /** Marks a session as used on its first view; else a framework that saves no empty sessions gives each visit a new id.
   *  Default true. A request with a bearer token begins no session. */
  readonly trackAnonymous?: boolean;
}

/** Forms of the options, for `checkOptions`. */
const HANDLE_OPTIONS: OptionForms<HandleOptions<never>> = {
  client: 'object',
  token: 'function',
  store: 'object',
  pageview: '"publish"|"request"|"off"|function',
  countWhen: '"end"|"start"',
  countRedirects: 'boolean',
  isPageview: 'function',
  trackAnonymous: 'boolean',
};

/** Checks the options of a middleware. `owner`: its name in messages. `more`: forms of options that the framework adds.
 *  @throws RangeError for an option that is unknown or of the wrong type, and for two that exclude each other. */
export function checkHandleOptions(
  owner: string,
  options: HandleOptions<never>,
  more: Readonly<Record<string, string>>,
): void {
  checkOptions(owner, options, { ...HANDLE_OPTIONS, ...more });
  checkTokenStore(options.store);
  const { pageview, countWhen, countRedirects } = options;
  if (pageview === 'request' && countWhen === 'end') {
    throw new RangeError(
      `${owner}: with pageview "request" the page waits for the view's answer, so the view cannot count when the page has ended: leave countWhen out, or give pageview "publish".`,
    );
  }
  if (countRedirects !== undefined && (pageview === 'request' || countWhen === 'start')) {
    throw new RangeError(
      `${owner}: a view that counts at the start counts before the status is known: leave countRedirects out, or give pageview "publish" and countWhen "end".`,
    );
  }
}

/** Whether an answer with this status is a view. A 304 is one: the browser shows the page that it has. */
export function countsStatus(statusCode: number, countRedirects: boolean): boolean {
  return statusCode < 300 || statusCode === 304 || (countRedirects && statusCode < 400);
}
