import type { LiveOptions } from '../../live/index.ts';
import type { HandleOptions } from '../http/handle-options.ts';
import type { LiveStreams } from '../live-streams.ts';
import type { SessionwiseOptions } from '../sessionwise-options.ts';
import { type SharedParts, SiteParts } from '../site-parts.ts';
import { SessionCookie, WEB_SESSION_OPTIONS, type WebSessionOptions } from './session-cookie.ts';
import { type WebKnowledge, webKnowledge } from './web-knowledge.ts';
import { WebSessionStore } from './web-session-store.ts';

/** Options of `sw.knowledge`: those of HandleAttacher, but for the client. */
export type KnowledgeOptions<Request> = Omit<HandleOptions<Request>, 'client'>;

/** The parts of `createSessionwise` that are the same in frameworks without sessions of their own: the adapter adds what
 *  mounts them. */
export interface WebSite<Request extends object> extends SharedParts {
  /** The store of sessions, opened at its first use.
   *  @throws RangeError or ConnectionOptionsError for an option that cannot be used. */
  readonly store: WebSessionStore<Request>;
}

/** Makes the parts of a site of a framework without sessions of its own. */
export class WebParts<Request extends object> {
  readonly #parts: SiteParts<WebSessionStore<Request>>;
  #isClosed = false;

  /** Begins to connect and returns; never throws because Redis is away.
   *  @throws RangeError or ConnectionOptionsError for an option that is unknown or cannot be used. */
  constructor(options: SessionwiseOptions) {
    this.#parts = new SiteParts(options, (storeOptions) => new WebSessionStore<Request>(storeOptions));
  }

  /** Whether `close` was called. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The store of sessions, where it is open. */
  get openedStore(): WebSessionStore<Request> | undefined {
    return this.#parts.openedStore;
  }

  /** Opens the store of sessions, and checks the options of its cookie. `owner`: the function that takes them.
   *  @throws RangeError for an option that is unknown or cannot be used. */
  session(owner: string, options: WebSessionOptions = {}): { store: WebSessionStore<Request>; cookie: SessionCookie } {
    this.#parts.checkSessionOptions(owner, options, WEB_SESSION_OPTIONS);
    const cookie = new SessionCookie(owner, options);
    return { store: this.#parts.store, cookie };
  }

  /** Makes what attaches handles. `owner`: the function that takes the options.
   *  @throws RangeError for an option that is unknown or of the wrong type. */
  knowledge(owner: string, options: KnowledgeOptions<Request> = {}): WebKnowledge<Request> {
    if ('client' in options) throw new RangeError(`${owner} asks by the client of this object: leave client out.`);
    const { openedStore, client } = this.#parts;
    return webKnowledge(owner, { ...options, client }, openedStore);
  }

  /** Takes the options of live streams, and returns the streams; see `LiveStreams.configure`.
   *  @throws RangeError for an option that is unknown or cannot be used. */
  live(owner: string, options: LiveOptions): LiveStreams {
    this.#parts.live.configure(owner, options);
    return this.#parts.live;
  }

  /** Makes the object of the site: `mounts` beside the shared parts. Its functions may be taken off it. */
  site<Mounts extends object>(mounts: Mounts): WebSite<Request> & Mounts {
    const parts = this.#parts;
    return {
      ...mounts,
      client: parts.client,
      notices: parts.client.notices,
      get store() {
        return parts.store;
      },
      person: (userId, page) => parts.person(userId, page),
      setRules: (rules) => parts.setRules(rules),
      forget: (subject, more) => parts.forget(subject, more),
      export: (subject, more) => parts.export(subject, more),
      openForOperators: () => parts.openForOperators(),
      close: () => {
        this.#isClosed = true;
        return parts.close();
      },
    };
  }
}
