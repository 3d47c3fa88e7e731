import type {
  AnalyticsReply,
  CommandMap,
  CommandName,
  GroupQuery,
  Notification,
  PageviewPayload,
  PageviewReply,
  Suggestion,
} from '../protocol/index.ts';
import { normalizeItem } from '../protocol/index.ts';
import type { PageRequests } from './page-requests.ts';

/** What a client may be told of the page for which it opens a handle. */
export interface PageOptions {
  /** How long all requests of this page may wait together, in milliseconds. Default: the client's. */
  readonly deadlineMs?: number;
  /** The page that is being rendered: its path or URL, of which only the path is sent. `surface` treats it as seen,
   *  because its view counts only when it has been answered. */
  readonly page?: string | undefined;
}

/** One session on one page. Every answer may be `undefined`: then it did not come within the page's deadline, and the
 *  page renders without it. */
export class SessionHandle {
  /** The public id of the session. */
  readonly id: string;
  /** Answer to the page view that the adapter counted; `undefined` also if it did not wait for an answer. */
  view: Promise<PageviewReply | undefined> = Promise.resolve(undefined);
  /** The page that is being rendered; undefined where the request is no page view. */
  readonly page: string | undefined;
  readonly #requests: PageRequests;

  /** `page`: the page that is being rendered. */
  constructor(requests: PageRequests, page?: string) {
    this.#requests = requests;
    this.id = requests.session;
    this.page = page;
  }

  /** How long this page may still wait, in milliseconds. */
  get leftMs(): number {
    return this.#requests.leftMs;
  }

  /** Counts a page view and answers what the visit was like before it. */
  pageview(page: PageviewPayload): Promise<PageviewReply | undefined> {
    return this.request('pageview', page);
  }

  /** Counts a page view and waits for nothing. */
  publishPageview(page: PageviewPayload): Promise<boolean> {
    return this.publish('pageview', page);
  }

  /** Returns the figures of the session; counts nothing. */
  analytics(): Promise<AnalyticsReply | undefined> {
    return this.request('session-analytics', '');
  }

  /** Which of `items` this session has not seen, in their order. The page that is being rendered counts as seen. */
  surface(items: readonly string[]): Promise<string[] | undefined> {
    const here = this.page === undefined ? undefined : pathOf(this.page);
    return this.request('surface', here === undefined ? items : { items, here });
  }

  /** Which combos hold now, or whether the named one does, and because of what. */
  suggestions(combo = ''): Promise<Suggestion[] | undefined> {
    return this.request('combo', combo);
  }

  /** Which notices were read: of the given ones, or of the lists that the store keeps. */
  notifications(notices: CommandMap['notifications']['payload'] | GroupQuery): Promise<Notification[] | undefined> {
    return this.request('notifications', notices);
  }

  /** Marks notices as read and returns their ids. */
  markSeen(ids: string | readonly (string | number)[]): Promise<(string | number)[] | undefined> {
    return this.request('mark-notification-seen', ids);
  }

  /** Marks items that are no pages as seen, and returns them. */
  markItemSeen(items: string | readonly string[]): Promise<string[] | undefined> {
    return this.request('mark-item-seen', items);
  }

  /** Any command, waiting within this page's deadline. */
  request<C extends CommandName>(
    command: C,
    payload: CommandMap[C]['payload'],
  ): Promise<CommandMap[C]['reply'] | undefined> {
    return this.#requests.request(command, payload);
  }

  /** Any command, not waiting. */
  publish<C extends CommandName>(command: C, payload: CommandMap[C]['payload']): Promise<boolean> {
    return this.#requests.publish(command, payload);
  }
}

// What cannot be counted as a view cannot have been seen: an answer without it is better than none.
function pathOf(page: string): string | undefined {
  try {
    return normalizeItem(page);
  } catch {
    return undefined;
  }
}
