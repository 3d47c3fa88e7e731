import { MINUTE_MS } from '../../knowledge/index.ts';

/** Exact counts of one session. */
export interface ExactSession {
  views: number;
  readonly pages: Set<string>;
  /** Minutes of the epoch. */
  readonly minutes: Set<number>;
}

/** Counts views, pages and active minutes exactly, to compare them with the figures of the store. It holds all of them
 *  in memory. */
export class ExactCount {
  readonly sessions: Map<string, ExactSession> = new Map();
  // One string per page, however many sessions hold it.
  readonly #pages = new Map<string, string>();

  /** All pages that some session saw. */
  get pages(): string[] {
    return [...this.#pages.keys()];
  }

  /** Counts a view. Returns how many views the session has with it, and whether it had seen the page. */
  view(session: string, page: string, at: number): { readonly views: number; readonly seen: boolean } {
    let exact = this.sessions.get(session);
    if (!exact) {
      exact = { views: 0, pages: new Set(), minutes: new Set() };
      this.sessions.set(session, exact);
    }
    if (!this.#pages.has(page)) this.#pages.set(page, page);
    const seen = exact.pages.has(page);
    if (!seen) exact.pages.add(this.#pages.get(page)!);
    exact.views += 1;
    exact.minutes.add(Math.floor(at / MINUTE_MS));
    return { views: exact.views, seen };
  }
}
