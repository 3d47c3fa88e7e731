import type { CommandMap, GroupQuery, Notification } from '../protocol/index.ts';
import { checkArray } from './handle-arguments.ts';
import type { HandleRequests } from './page-requests.ts';

/** Ids of notices, or notices with an id, whose list the page keeps. */
type OwnNotices = Exclude<CommandMap['notifications']['payload'], GroupQuery>;

/** The notices of one visitor on one page. */
export class Notices {
  readonly #requests: HandleRequests;

  constructor(requests: HandleRequests) {
    this.#requests = requests;
  }

  /** Tells which notices were read: the newest of lists that the store keeps, the newest first, or each of those that are
   *  given, as it was given. On the wire `notifications`.
   *  @throws TypeError for what is neither an array nor an object with `groups`. */
  list(query: GroupQuery): Promise<Notification[] | undefined>;
  list<Notice extends { readonly id: string | number }>(
    notices: readonly Notice[],
  ): Promise<(Notice & { seen: boolean })[] | undefined>;
  list(notices: OwnNotices): Promise<Notification[] | undefined>;
  list(query: GroupQuery | OwnNotices): Promise<never[] | undefined> {
    const isQuery = typeof query === 'object' && query !== null && 'groups' in query;
    const asked = isQuery ? query : checkArray('notices.list', query, 'an array of ids or notices, or { groups }');
    return this.#requests.request('notifications', asked) as Promise<never[] | undefined>;
  }

  /** Marks notices as read and returns their ids. On the wire `mark-notification-seen`.
   *  @throws TypeError for what is no array. */
  markRead(ids: readonly (string | number)[]): Promise<(string | number)[] | undefined> {
    return this.#requests.request('mark-notification-seen', checkArray('notices.markRead', ids, 'an array of ids'));
  }
}
