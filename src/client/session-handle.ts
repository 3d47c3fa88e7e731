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
import type { SessionClient } from './session-client.ts';
import type { WaitBudget } from './wait-budget.ts';

/** Options of a session's handle. */
export interface SessionHandleOptions {
  /** How long its requests may wait together, in milliseconds. Default: the client's. */
  readonly deadlineMs?: number;
  /** The page that is being rendered, as a path or URL: `surface` takes it for seen, although its view is counted only
   *  when its answer has ended. */
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
  readonly #client: SessionClient;
  readonly #budget: WaitBudget;

  constructor(client: SessionClient, id: string, budget: WaitBudget, page?: string) {
    this.#client = client;
    this.id = id;
    this.#budget = budget;
    this.page = page;
  }

  /** How long this page may still wait, in milliseconds. */
  get leftMs(): number {
    return this.#budget.leftMs;
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

  /** Which of `items` this session has not seen, in their order. */
  surface(items: readonly string[]): Promise<string[] | undefined> {
    return this.request('surface', items);
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
    return this.#budget.spend((deadlineMs) => this.#client.request(command, this.id, payload, { deadlineMs }));
  }

  /** Any command, not waiting. */
  publish<C extends CommandName>(command: C, payload: CommandMap[C]['payload']): Promise<boolean> {
    return this.#client.publish(command, this.id, payload);
  }
}
