import { type LibraryRequest, requestOf } from './library-session.ts';
import type { CookieReply } from './suppress-cookie.ts';

interface Watched {
  session: object | null | undefined;
  reply: CookieReply | undefined;
}

/** Requests whose sessions are looked after. @fastify/session gives a request its session by setting
 *  `request.session`: at the beginning, and again in `regenerate`, `reload` and `destroy`. From when a request is watched,
 *  that is seen. */
export class WatchedRequests {
  readonly #received: (request: LibraryRequest, session: object) => void;
  readonly #watched = new WeakMap<object, Watched>();
  readonly #refused = new WeakSet<object>();
  readonly #accessor: PropertyDescriptor;

  /** `received` is told of each session that a watched request has got. */
  constructor(received: (request: LibraryRequest, session: object) => void) {
    this.#received = received;
    const watched = this.#watched;
    const refused = this.#refused;
    this.#accessor = {
      configurable: true,
      enumerable: true,
      get(this: LibraryRequest) {
        return watched.get(this)?.session;
      },
      set(this: LibraryRequest, session: object | null | undefined) {
        if (session && refused.has(session)) return;
        watched.get(this)!.session = session;
        if (session) received(this, session);
      },
    };
  }

  /** Watches a request; the reply is the one to it. */
  watch(request: LibraryRequest, reply: CookieReply): void {
    this.#watch(request).reply = reply;
    if (request.session) this.#received(request, request.session);
  }

  /** The reply to a request; undefined where it is not watched. */
  replyTo(request: LibraryRequest | undefined): CookieReply | undefined {
    return request && this.#watched.get(request)?.reply;
  }

  /** Sees to it that the session's request keeps the one that it has. False where this one is that. */
  refuse(session: object): boolean {
    const request = requestOf(session);
    if (!request || request.session === session) return false;
    this.#refused.add(session);
    this.#watch(request);
    return true;
  }

  #watch(request: LibraryRequest): Watched {
    let watched = this.#watched.get(request);
    if (!watched) {
      watched = { session: request.session, reply: undefined };
      this.#watched.set(request, watched);
      Object.defineProperty(request, 'session', this.#accessor);
    }
    return watched;
  }
}
