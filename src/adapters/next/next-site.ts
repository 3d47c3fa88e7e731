import {
  type KnowledgeOptions,
  type SessionCookie,
  StoreUnavailableError,
  type WebKnowledge,
  type WebParts,
  WebRequest,
  type WebSession,
  type WebSessionOptions,
  type WebSessionStore,
} from '../index.ts';
import { mayBeView } from './next-views.ts';
import { NextVisit, PAGE_HEADER } from './next-visit.ts';
import { pageSession } from './page-session.ts';
import { setCookie } from './set-cookie.ts';

/** Sessions and knowledge of a site, as its proxy, pages, actions and route handlers come to them. */
export class NextSite {
  readonly #parts: WebParts<NextVisit>;
  #session: { readonly store: WebSessionStore<NextVisit>; readonly cookie: SessionCookie } | undefined;
  #knowledge: WebKnowledge<NextVisit> | undefined;
  #hasScript = false;
  /** The visits of pages, by the headers that Next gives all components of a request. */
  readonly #pages = new WeakMap<Headers, Promise<NextVisit>>();

  constructor(parts: WebParts<NextVisit>) {
    this.#parts = parts;
  }

  /** Takes the options of `sw.session`.
   *  @throws RangeError for an option that is unknown or cannot be used. */
  mountSession(options: WebSessionOptions | undefined): void {
    this.#session = this.#parts.session('sw.session()', options);
  }

  /** Takes the options of `sw.knowledge`, behind those of `sw.session`.
   *  @throws RangeError for an option that is unknown or of the wrong type. */
  mountKnowledge(options: KnowledgeOptions<NextVisit> = {}): void {
    if (options.countWhen === 'start') {
      throw new RangeError('sw.knowledge(): a view counts at the end of its answer in Next: leave countWhen out.');
    }
    this.#hasScript = options.script !== undefined;
    // The script for pages counts what the router shows.
    const isPageview = this.#hasScript ? undefined : mayBeView;
    this.#knowledge = this.#parts.knowledge('sw.knowledge()', { ...(isPageview && { isPageview }), ...options });
  }

  /** The knowledge of the site; undefined where it has none. */
  get knowledge(): WebKnowledge<NextVisit> | undefined {
    return this.#knowledge;
  }

  /** Opens the session of a visit, where the site has sessions of ours.
   *  @throws StoreUnavailableError in a store that fails closed; SessionDataError. */
  async open(visit: NextVisit): Promise<void> {
    await this.#session?.store.open(visit, visit, this.#session.cookie);
  }

  /** Attaches the handle of a visit, where the site has knowledge.
   *  @throws errors of the functions in the options. */
  async attach(visit: NextVisit): Promise<void> {
    await this.#knowledge?.attacher.attach(visit, this.pageOf(visit));
  }

  /** A visit, as HandleAttacher asks it. */
  pageOf(visit: NextVisit): WebRequest<NextVisit> {
    return new WebRequest(visit, visit, this.#session?.store, (handle) => {
      visit.sessionwise = handle;
    });
  }

  /** Saves the session of a visit.
   *  @throws as WebSessionStore's `save`. */
  async save(visit: NextVisit): Promise<void> {
    await this.#session?.store.save(visit);
  }

  /** Returns the session of the page that is rendered, which only reads it.
   *  @throws StoreUnavailableError in a store that fails closed; SessionDataError. */
  async sessionOfPage(): Promise<object> {
    const visit = await this.#pageVisit();
    await this.open(visit);
    if (!visit.session) throw new TypeError('This site has no sessions of ours: call sw.session() before.');
    return pageSession(visit.session as WebSession);
  }

  /** Returns the handle of the page that is rendered. Where the session cannot be read, it answers `undefined`.
   *  @throws errors of the functions in the options. */
  async handleOfPage(): Promise<NextVisit['sessionwise']> {
    const visit = await this.#pageVisit();
    try {
      await this.open(visit);
    } catch (error) {
      // Whether somebody is logged in is not known.
      if (error instanceof StoreUnavailableError) return visit.sessionwise;
      throw error;
    }
    await this.attach(visit);
    return visit.sessionwise;
  }

  /** Runs an action or a route handler, whose changes are saved and whose cookies are set, also where it fails or redirects.
   *  `asked`: undefined in an action. */
  async run<Result>(
    asked: { readonly method: string; readonly url: string } | undefined,
    work: (visit: NextVisit & { session: WebSession }) => Promise<Result> | Result,
  ): Promise<Result> {
    const { cookies, headers } = await import('next/headers.js');
    const [given, jar] = await Promise.all([headers(), cookies()]);
    const url = asked ? pathOf(asked.url) : (given.get(PAGE_HEADER) ?? '/');
    const method = asked?.method ?? 'POST';
    const visit = new NextVisit({ method, url, headers: given, cookieHeader: cookieHeaderOf(jar), isReadOnly: false });
    await this.open(visit);
    await this.attach(visit);
    try {
      const result = await work(visit as NextVisit & { session: WebSession });
      await this.save(visit);
      return result;
    } catch (error) {
      await this.save(visit).catch(() => undefined);
      throw error;
    } finally {
      for (const [name, line] of visit.takeLines()) if (name === 'Set-Cookie') setCookie(jar, line);
      // The page that is rendered behind an action has the session as it is by then.
      this.#pages.delete(given);
    }
  }

  async #pageVisit(): Promise<NextVisit> {
    const { cookies, headers } = await import('next/headers.js');
    const given = await headers();
    let visit = this.#pages.get(given);
    if (!visit) {
      visit = cookies().then((jar) => pageVisit(given, cookieHeaderOf(jar)));
      this.#pages.set(given, visit);
    }
    return visit;
  }
}

function pageVisit(headers: Headers, cookieHeader: string): NextVisit {
  const url = headers.get(PAGE_HEADER);
  // Behind no proxy of ours a new visitor would get no cookie: as HEAD it begins none, and is no view.
  const method = url === null ? 'HEAD' : 'GET';
  return new NextVisit({ method, url: url ?? '/', headers, cookieHeader, isReadOnly: true });
}

function cookieHeaderOf(cookies: { getAll(): readonly { name: string; value: string }[] }): string {
  return cookies
    .getAll()
    .map(({ name, value }) => `${name}=${encodeURIComponent(value)}`)
    .join('; ');
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}
