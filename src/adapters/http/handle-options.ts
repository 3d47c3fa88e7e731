import type { SessionClient } from '../../client/index.ts';
import { checkOptions, type OptionForms } from '../../protocol/internal/index.ts';
import { BrowserScript } from './browser-script.ts';
import type { Consent } from './consent.ts';
import type { PageviewMode } from './page-request.ts';
import { checkTokenStore, type TokenVerifier } from './session-of-token.ts';
import type { VisitorCookieOptions } from './visitor-cookie-options.ts';

/** Options of an adapter's middleware; `Request` is the framework's. */
export interface HandleOptions<Request> {
  /** Asks the services. An adapter may require it; without one, every handle answers `undefined`, no page view is counted
   *  and no cookie set. */
  readonly client?: SessionClient;
  /** The user who is logged in, as a text that stays theirs; undefined for nobody. The page asks as that person, on each
   *  of their devices, and what was known of the browser's visitor becomes the person's. Default: the user to whom the
   *  session was given with `identify`, where it is in a store of ours. Mount the middleware behind what sets the user.
   *  A mistake for an id (no text, empty, `undefined`, `null` or `NaN` as a text, `[object Object]`, a promise, more than
   *  1,024 characters) fails the request with a RangeError, because all users would be one person. Lists of a user's
   *  sessions and `erase` find only what `request.session.identify(id)` was called for. */
  readonly user?: (request: Request) => string | null | undefined;
  /** The groups to which the visitor belongs: whose notices they are shown (`request.sessionwise.notices`, live streams),
   *  and for which rules ask (`suggestions`, `is`). It is asked for every request, also for those of nobody. At
   *  most 100 names; anything else fails the request. Default: none. */
  readonly groups?: (request: Request) => readonly string[] | null | undefined;
  /** What the visitor has agreed to. `all`: knowledge of their visits, on all devices once they log in. `session`: until
   *  the browser is closed, and never merged into a person. `none`: nothing is asked or counted, no cookie is set, and one
   *  that is there is removed. A function counts before the browser's signals. Default: `none` for requests with
   *  `Sec-GPC: 1` or `DNT: 1`, else `all`. */
  readonly consent?: (request: Request) => Consent;
  /** Whether a view counts. `page`: its path; with a message of the script for pages, which has a URL of its own, that of
   *  the page. Anything but `true` and `false` fails the request. Default: it does. */
  readonly track?: (request: Request, page: string) => boolean;
  /** Known robots, probes and scripts, by their User-Agent header. `ignore` (default): no visitor, no view, no cookie.
   *  `count`: as anybody else. A request with a token is none. */
  readonly bots?: 'ignore' | 'count';
  /** The cookie by which a browser is the same visitor again. Default: `sessionwise`, for 400 days. */
  readonly cookie?: VisitorCookieOptions;
  /** The request's token, for clients that keep no cookies; a session is made from it, and it goes nowhere else. Your
   *  function must have checked the token that it returns; undefined for a browser, which has its cookie. Default: a bearer
   *  token of the Authorization header, which counts only while `store` knows it. A token of our own form (`createToken`) is
   *  looked up there even where your function returned it. */
  readonly token?: (request: Request) => string | undefined;
  /** The store that knows the bearer tokens. Default: that of the framework's sessions, where it is one of ours. Without
   *  one, a token of our own form belongs to no session, and any other is taken as it comes: then refuse those that you
   *  did not issue before this middleware. */
  readonly store?: { readonly data: TokenVerifier };
  /** Counts the page view. `server` (default): the middleware, which waits for nothing; `browser`: the script for pages;
   *  `off`: nothing does; a function chooses for each request. */
  readonly pageview?: PageviewMode | ((request: Request) => PageviewMode);
  /** The script for pages, of `browserScript()`: then the middleware serves it and takes its messages. It counts what the
   *  server does not see: navigation within a page, pages of caches, minutes in which a page is looked at. Put its `tag` into
   *  your pages. Default: none. */
  readonly script?: BrowserScript;
  /** When a page view counts. `end` (default): when its answer has ended with a status below 400, for whom the request is
   *  then; a page that fails, that breaks off, or that logs its person out counts nothing. `start`: before the page,
   *  whatever becomes of it. */
  readonly countWhen?: 'end' | 'start';
  /** Whether a redirect (300 to 399, but not 304) counts at the end of its answer, though it shows no document.
   *  Default true. */
  readonly countRedirects?: boolean;
  /** Whether a request is a page view at all. Default: GET, no prefetch, and a document if the browser sends
   *  Sec-Fetch-Dest. */
  readonly isPageview?: (request: Request) => boolean;
}

/** Forms of the options, for `checkOptions`. */
export const HANDLE_OPTIONS: OptionForms<HandleOptions<never>> = {
  client: 'object',
  user: 'function',
  groups: 'function',
  consent: 'function',
  track: 'function',
  bots: '"ignore"|"count"',
  cookie: 'object',
  token: 'function',
  store: 'object',
  pageview: '"server"|"browser"|"off"|function',
  script: 'object',
  countWhen: '"end"|"start"',
  countRedirects: 'boolean',
  isPageview: 'function',
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
  checkScript(owner, options);
  const { pageview, countWhen, countRedirects } = options;
  if ((pageview === 'browser' || pageview === 'off') && (countWhen !== undefined || countRedirects !== undefined)) {
    throw new RangeError(
      `${owner}: with pageview "${pageview}" the server counts no view: leave countWhen and countRedirects out, or give pageview "server".`,
    );
  }
  if (countRedirects !== undefined && countWhen === 'start') {
    throw new RangeError(
      `${owner}: a view that counts at the start counts before the status is known: leave countRedirects out, or give countWhen "end".`,
    );
  }
}

function checkScript(owner: string, { script, pageview, countWhen }: HandleOptions<never>): void {
  if (script === undefined) {
    if (pageview !== 'browser') return;
    throw new RangeError(`${owner}: pageview "browser" needs the script for pages: give script: browserScript().`);
  }
  if (!(script instanceof BrowserScript)) {
    throw new RangeError(`${owner}: script is no script for pages: give browserScript().`);
  }
  if (pageview === 'off') {
    throw new RangeError(`${owner}: with pageview "off" nothing counts: leave script out, or give another pageview.`);
  }
  if (countWhen === 'start') {
    throw new RangeError(
      `${owner}: with countWhen "start" it is not known yet whether caches may keep a page, which the script would count again: leave script or countWhen out.`,
    );
  }
}

/** Whether an answer with this status is a view. A 304 is one: the browser shows the page that it has. */
export function countsStatus(statusCode: number, countRedirects: boolean): boolean {
  return statusCode < 300 || statusCode === 304 || (countRedirects && statusCode < 400);
}
