import type { CommandMap, NoticeCounts, NoticeMarkName, NoticesQuery, NoticesReply } from '../protocol/index.ts';
import { checkOptions, type OptionForms } from '../protocol/internal/index.ts';
import { checkArray } from './handle-arguments.ts';
import type { HandleRequests } from './page-requests.ts';

type Ids = readonly (string | number)[];
/** Ids of notices, or notices with an id, whose list the page keeps. */
type OwnNotices = CommandMap['notifications']['payload'];
type OwnAnswers = CommandMap['notifications']['reply'];

/** Groups of which something is asked. */
export interface OfGroups {
  /** Default: those of the page (the option `groups`). */
  readonly groups?: readonly string[];
}

const QUERY: OptionForms<NoticesQuery> = { groups: 'object', unreadOnly: 'boolean', limit: 'number', before: 'string' };
const OF_GROUPS: OptionForms<OfGroups> = { groups: 'object' };

/** The notices of one visitor on one page. */
export class Notices {
  /** The groups of the page, to which the visitor belongs. */
  readonly groups: readonly string[];
  readonly #requests: HandleRequests;

  /** `groups`: those to which the visitor belongs. */
  constructor(requests: HandleRequests, groups: readonly string[] = []) {
    this.#requests = requests;
    this.groups = groups;
  }

  /** Lists the notices of the visitor's groups and segments and those to the visitor alone, the newest first, with the
   *  counts of all of them. On the wire `notices`.
   *  @throws RangeError for an option that is unknown or of the wrong type. */
  list(query: NoticesQuery = {}): Promise<NoticesReply | undefined> {
    checkOptions('notices.list()', query, QUERY);
    return this.#requests.request('notices', { ...query, groups: query.groups ?? this.groups });
  }

  /** Counts the notices that are not read. On the wire `notice-counts`. */
  unread(of: OfGroups = {}): Promise<number | undefined> {
    return this.#counts('unread', of).then((counts) => counts?.unread);
  }

  /** Counts the notices that are not seen (what a badge shows), and those that are not read. On the wire `notice-counts`. */
  counts(of: OfGroups = {}): Promise<NoticeCounts | undefined> {
    return this.#counts('counts', of);
  }

  /** Tells of notices whose list the page keeps which were read: each as it was given, with `seen`. On the wire
   *  `notifications`.
   *  @throws TypeError for what is no array. */
  annotate<Notice extends { readonly id: string | number }>(
    notices: readonly Notice[],
  ): Promise<(Notice & { seen: boolean })[] | undefined>;
  annotate(notices: OwnNotices): Promise<OwnAnswers | undefined>;
  annotate(notices: OwnNotices): Promise<never[] | undefined> {
    const asked = checkArray('notices.annotate', notices, 'an array of ids or notices');
    return this.#requests.request('notifications', asked) as Promise<never[] | undefined>;
  }

  /** Marks notices as seen: they were looked at, and are still to be read. Returns how many. On the wire `mark-notices`. */
  markSeen(ids: Ids): Promise<number | undefined> {
    return this.#mark('markSeen', ids, 'seen');
  }

  /** Marks all notices as seen: a badge is cleared. Returns how many were not. On the wire `mark-notices`. */
  markAllSeen(of: OfGroups = {}): Promise<number | undefined> {
    return this.#markAll('markAllSeen', of, 'seen');
  }

  /** Marks notices as read, also those whose list the page keeps. Returns how many. On the wire `mark-notices`. */
  markRead(ids: Ids): Promise<number | undefined> {
    return this.#mark('markRead', ids, 'read');
  }

  /** Marks all notices as read. Returns how many were not. On the wire `mark-notices`. */
  markAllRead(of: OfGroups = {}): Promise<number | undefined> {
    return this.#markAll('markAllRead', of, 'read');
  }

  /** Marks notices as unread again. Returns how many. On the wire `mark-notices`. */
  markUnread(ids: Ids): Promise<number | undefined> {
    return this.#mark('markUnread', ids, 'unread');
  }

  /** Dismisses notices: they are shown no more. Returns how many. On the wire `mark-notices`. */
  dismiss(ids: Ids): Promise<number | undefined> {
    return this.#mark('dismiss', ids, 'dismissed');
  }

  /** Mutes groups for the visitor: their notices are not shown and not counted. Whether it was done. On the wire
   *  `mute-groups`.
   *  @throws TypeError for what is no array. */
  mute(groups: readonly string[]): Promise<boolean> {
    const mute = checkArray('notices.mute', groups, 'an array of groups');
    return this.#requests.request('mute-groups', { mute }).then((reply) => reply !== undefined);
  }

  /** Un-mutes groups: what was not read meanwhile is unread. Whether it was done. On the wire `mute-groups`.
   *  @throws TypeError for what is no array. */
  unmute(groups: readonly string[]): Promise<boolean> {
    const unmute = checkArray('notices.unmute', groups, 'an array of groups');
    return this.#requests.request('mute-groups', { unmute }).then((reply) => reply !== undefined);
  }

  #counts(method: string, of: OfGroups): Promise<NoticeCounts | undefined> {
    return this.#requests.request('notice-counts', { groups: this.#groupsOf(method, of) });
  }

  #mark(method: string, ids: Ids, as: NoticeMarkName): Promise<number | undefined> {
    const given = checkArray(`notices.${method}`, ids, 'an array of ids');
    return this.#requests.request('mark-notices', { ids: given, as }).then((reply) => reply?.marked);
  }

  #markAll(method: string, of: OfGroups, as: NoticeMarkName): Promise<number | undefined> {
    const groups = this.#groupsOf(method, of);
    return this.#requests.request('mark-notices', { groups, as }).then((reply) => reply?.marked);
  }

  #groupsOf(method: string, of: OfGroups): readonly string[] {
    checkOptions(`notices.${method}()`, of, OF_GROUPS);
    return of.groups ?? this.groups;
  }
}
