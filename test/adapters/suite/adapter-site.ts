import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type {
  HandleOptions,
  RequestStore,
  SessionOperations,
  SessionStoreOptions,
} from '../../../src/adapters/index.ts';
import { type SessionClient, type SessionHandle, sessionOf } from '../../../src/index.ts';

/* adapter-site.ts: a site that each adapter serves through real HTTP, and visitors of it. Pages are written once, against
 * `PageContext`, and an adapter under test says how its framework does each thing. */

/** A page's request, as all frameworks have it. */
export interface PageContext {
  /** The session that the request has now: another object after `regenerate`, in Express after `rotate` too. */
  readonly session: Record<string, unknown> & SessionOperations;
  /** Undefined only where the adapter was given no middleware. */
  readonly handle: SessionHandle | undefined;
  readonly ownToken: string | undefined;
  readonly query: URLSearchParams;
  /** Saves the session within the request. */
  save(): Promise<void>;
  /** Begins another session in place of this one. */
  regenerate(): Promise<void>;
  /** Ends the session. */
  destroy(): Promise<void>;
  /** Loads the session anew; nothing where the framework has no such thing. */
  reload(): Promise<void>;
  /** Sends the headers and a first byte. The page's result is not sent then. */
  sendHead(): void;
  /** Answers with another status than 200. */
  status(code: number): void;
  /** Sends the whole answer. The page's result is not sent then. */
  answer(): Promise<unknown>;
  /** Node's response beneath. */
  readonly raw: ServerResponse;
}

/** A page: `/name/a/b` calls `pages.name(context, 'a', 'b')`. Its result is sent as JSON. */
export type Page = (context: PageContext, ...params: string[]) => unknown;
export type Pages = Readonly<Record<string, Page>>;

/** What the requests of all frameworks have. */
export interface SiteRequest {
  readonly headers: IncomingHttpHeaders;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}

/** How an adapter's site is opened. `Settings`: of the framework's sessions. */
export interface SiteOptions<Settings = object> {
  readonly store: SessionStoreOptions;
  readonly settings: Settings;
  readonly pages: Pages;
  readonly client?: SessionClient;
  /** Options of the adapter's middleware beside the client. */
  readonly handle?: Omit<HandleOptions<SiteRequest>, 'client' | 'store'>;
  /** Whether the framework's function that makes ids returns the header `x-id` where there is one. */
  readonly takesIds?: boolean;
  /** Makes the ids, in place of the store. */
  readonly genid?: () => string;
}

/** A site that is open. */
export interface Site {
  readonly url: string;
  readonly store: RequestStore<never>;
  /** Codes of errors that pages and saves ended with, also behind an answer. */
  readonly errors: string[];
  close(): Promise<void>;
}

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** As JSON; undefined where it is none. */
  readonly body: unknown;
  /** Set-Cookie headers of the session's cookie, whole. */
  readonly setCookies: readonly string[];
  /** Set-Cookie headers of the visitor's cookie, whole. */
  readonly visitorCookies: readonly string[];
  readonly header: (name: string) => string | null;
}

/** What a browser says of itself. */
export const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0';
const VISITOR_COOKIE = 'sessionwise';

/** A browser with two cookies, the session's and the visitor's: it sends what it was last given. */
export class Visitor {
  readonly #site: Pick<Site, 'url'>;
  readonly #cookies: SessionCookies;
  /** The session's, `name=value`; undefined before the first one. */
  cookie: string | undefined;
  /** The visitor's, `name=value`; undefined where the browser has none. */
  visitorCookie: string | undefined;

  constructor(site: Pick<Site, 'url'>, cookies: SessionCookies, cookie?: string) {
    this.#site = site;
    this.#cookies = cookies;
    this.cookie = cookie;
  }

  /** What it sends with each request for a page. */
  get headers(): Record<string, string> {
    const cookies = [this.cookie, this.visitorCookie].filter((cookie) => cookie !== undefined);
    const cookie = cookies.length > 0 ? { cookie: cookies.join('; ') } : {};
    return { 'sec-fetch-dest': 'document', 'user-agent': USER_AGENT, ...cookie };
  }

  /** Asks as a browser does for a page, and takes the cookies of the answer; what hangs fails. */
  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const response = await fetch(this.#site.url + path, {
      headers: { ...this.headers, ...headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    const all = response.headers.getSetCookie();
    const setCookies = all.filter((cookie) => cookie.startsWith(`${this.#cookies.name}=`));
    const visitorCookies = all.filter((cookie) => cookie.startsWith(`${VISITOR_COOKIE}=`));
    const [pair, visitorPair] = [pairOf(setCookies), pairOf(visitorCookies)];
    if (pair !== undefined) this.cookie = pair.endsWith('=') ? undefined : pair;
    if (visitorPair !== undefined) this.visitorCookie = visitorPair.endsWith('=') ? undefined : visitorPair;
    const body = /^[[{"\d tfn]/.test(text) ? parse(text) : undefined;
    return { status: response.status, text, body, setCookies, visitorCookies, header: (n) => response.headers.get(n) };
  }

  /** The page's result; fails where it was not 200. */
  async page(path: string): Promise<unknown> {
    const { status, text, body } = await this.get(path);
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    return body;
  }

  /** Another visitor with the same cookies: a request that was sent before this one's next answer came. */
  twin(site: Pick<Site, 'url'> = this.#site): Visitor {
    const twin = new Visitor(site, this.#cookies, this.cookie);
    twin.visitorCookie = this.visitorCookie;
    return twin;
  }

  /** Id under which the browser is asked about while nobody is logged in. */
  get visitorId(): string {
    return sessionOf(this.visitorCookie!.slice(VISITOR_COOKIE.length + 1).split('.')[0]!);
  }

  get token(): string {
    return this.#cookies.tokenIn(this.cookie!);
  }
}

/** How a framework writes a token into its cookie. */
export interface SessionCookies {
  readonly name: string;
  tokenIn(cookie: string): string;
  /** The cookie that the site would give for a token, `name=value`. */
  sign(token: string): string;
}

/** An adapter, and what of it is different by nature. */
// biome-ignore lint/suspicious/noExplicitAny: each adapter has settings of its own.
export interface AdapterUnderTest<Settings = any> {
  readonly name: string;
  /** Settings of the framework's sessions under which cookies are set or cleared differently. The first are the usual
   *  ones. */
  readonly settings: readonly (readonly [string, Settings])[];
  /** Settings with which sessions are tested into which nothing is put: those that save empty ones, and those that do
   *  not, as far as there are both. */
  readonly anonymous: readonly (readonly [string, Settings])[];
  readonly cookies: SessionCookies;
  /** Whether the answer to a changed session, or any answer, may set its cookie again, by settings. */
  readonly setsAgain: (settings: Settings) => 'never' | 'changed' | 'always';
  /** Whether the save at the end of a request comes before its answer, which tells then that it has failed. */
  readonly savesBeforeAnswer: boolean;
  /** Whether its middleware serves the script for pages. */
  readonly servesScript: boolean;
  open(options: SiteOptions<Settings>): Promise<Site>;
}

/** Something that a page waits at until the test opens it. */
export class Gate {
  readonly #opened: Promise<void>;
  readonly #arrived: Promise<void>;
  #arrive: () => void = () => {};
  /** Lets all pages through. */
  open: () => void = () => {};

  /** `count`: how many pages arrive. */
  constructor(count = 1) {
    let missing = count;
    this.#opened = new Promise((resolve) => {
      this.open = resolve;
    });
    this.#arrived = new Promise((resolve) => {
      this.#arrive = () => {
        missing -= 1;
        if (missing === 0) resolve();
      };
    });
  }

  /** For the page. */
  pass(): Promise<void> {
    this.#arrive();
    return this.#opened;
  }

  /** For the test: until all pages wait. */
  arrived(): Promise<void> {
    return this.#arrived;
  }
}

/** Fields of a session as the application sees them, without the cookie and our mark. */
export function fieldsOf(session: object): Record<string, unknown> {
  const { cookie: _, sessionwise: __, ...fields } = JSON.parse(JSON.stringify(session)) as Record<string, unknown>;
  return fields;
}

function pairOf(cookies: readonly string[]): string | undefined {
  return cookies.at(-1)?.split(';')[0];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
