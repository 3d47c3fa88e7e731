import type {
  KnowledgeOptions,
  SessionHandle,
  SessionOperations,
  SessionwiseOptions,
  WebSession,
  WebSessionOptions,
  WebSite,
} from '../index.ts';
import { NextSite } from './next-site.ts';
import type { NextVisit } from './next-visit.ts';
import { makeProxy } from './proxy.ts';
import { sharedParts } from './shared-parts.ts';

/** The session of a page that is rendered: it can be read and not changed. */
export type PageSession<Fields = Record<string, unknown>> = Readonly<Fields> &
  Pick<SessionOperations<Fields>, 'info' | 'isDegraded'>;

/** What an action or a route handler is given. */
export interface WritingVisit<Fields = Record<string, unknown>> {
  /** Undefined after `destroy`, another object after `regenerate`. */
  readonly session: WebSession<Fields>;
  /** The handle of whom the request is asked as. */
  readonly sessionwise: SessionHandle;
  readonly headers: Headers;
}

/** Sessionwise for a site of Next's app router: what `createSessionwise` makes. `Fields`: what it keeps in its sessions. */
export interface Sessionwise<Fields = Record<string, unknown>> extends WebSite<NextVisit> {
  /** Takes the options of sessions, and returns the function by which a server component reads the session of its request.
   *  That throws StoreUnavailableError in a store that fails closed.
   *  @throws RangeError for an option that is unknown or cannot be used. */
  session(options?: WebSessionOptions): () => Promise<PageSession<Fields>>;
  /** Takes the options of knowledge, and returns the function by which a server component gets the handle of whom its request
   *  is asked as. Call it behind `session()`.
   *  @throws RangeError for an option that is unknown or of the wrong type. */
  knowledge(options?: KnowledgeOptions<NextVisit>): () => Promise<SessionHandle>;
  /** Makes the function of `proxy.ts`, which keeps the cookies and counts page views. */
  proxy(): (request: Request) => Promise<Response>;
  /** Makes a server action: its first parameter has the session, which is saved when it ends, also by a redirect. */
  action<Parameters extends readonly unknown[], Result>(
    work: (visit: WritingVisit<Fields>, ...parameters: Parameters) => Promise<Result> | Result,
  ): (...parameters: Parameters) => Promise<Result>;
  /** Makes a route handler: its first parameter has the session, which is saved when it ends, before its answer. */
  route<Context>(
    work: (visit: WritingVisit<Fields>, request: Request, context: Context) => Promise<Response> | Response,
  ): (request: Request, context: Context) => Promise<Response>;
}

/** Makes what a site of Next needs: one connection to Redis for session data and for what is known of visitors, and the
 *  functions for its proxy, pages, actions and route handlers. Calls with the same options share it within a process.
 *  Begins to connect and returns; never throws because Redis is away.
 *  @throws RangeError or ConnectionOptionsError for an option that is unknown or cannot be used. */
export function createSessionwise<Fields = Record<string, unknown>>(options: SessionwiseOptions): Sessionwise<Fields> {
  const parts = sharedParts(options);
  const site = new NextSite(parts);
  const made = parts.site({
    session(sessionOptions?: WebSessionOptions) {
      site.mountSession(sessionOptions);
      return () => site.sessionOfPage();
    },
    knowledge(handleOptions?: KnowledgeOptions<NextVisit>) {
      site.mountKnowledge(handleOptions);
      return () => site.handleOfPage();
    },
    proxy: () => makeProxy(site),
    action:
      (work: (visit: object, ...parameters: unknown[]) => unknown) =>
      (...parameters: unknown[]) =>
        site.run(undefined, (visit) => work(visit, ...parameters)),
    route:
      (work: (visit: object, request: Request, context: unknown) => unknown) => (request: Request, context: unknown) =>
        site.run(request, (visit) => work(visit, request, context)),
  });
  return made as unknown as Sessionwise<Fields>;
}
