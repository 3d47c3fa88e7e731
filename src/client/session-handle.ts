import type { AnalyticsReply, CommandMap, CommandName, PageviewReply, Suggestion } from '../protocol/index.ts';
import { isPerson, normalizeItem } from '../protocol/index.ts';
import { visitOf, visitWithCountedView } from './counted-visit.ts';
import { checkArray, type ItemOptions, type ItemPick, namedThings } from './handle-arguments.ts';
import { NoVisitor } from './no-visitor.ts';
import { Notices } from './notices.ts';
import type { HandleRequests } from './page-requests.ts';

/** What a client may be told of the page for which it opens a handle. */
export interface PageOptions {
  /** How long all requests of this page may wait together, in milliseconds. Default: the client's. */
  readonly deadlineMs?: number;
  /** The page that is being rendered: its path or URL, of which only the path is sent. `visit` counts it in and `unseen`
   *  treats it as seen, because its view may count only when it has been answered. */
  readonly page?: string | undefined;
  /** Where the handle is a person's: the session of the browser, which `handle.session` asks as. Default: none. */
  readonly browser?: string | undefined;
  /** The handle through which the view of `page` was counted already, for a visitor whose knowledge is this subject's since:
   *  `visit` does not count the page in once more. Default: none. */
  readonly countedBy?: SessionHandle | undefined;
}

/** What a handle is told of its page. */
interface HandlePage extends Pick<PageOptions, 'page' | 'countedBy'> {
  /** Asks as the session of the browser, where the handle is a person's. */
  readonly browser?: HandleRequests | undefined;
}

/** One visitor on one page. Every answer may be `undefined`: it did not come within the page's deadline, or the page has no
 *  visitor; the page renders without it. Nothing is rejected because Redis or the service is away; a wrong argument throws
 *  at once. */
export class SessionHandle {
  /** The public id of the session or person; undefined where the page has no visitor. */
  readonly id: string | undefined;
  /** The page that is being rendered; undefined where the request is no page view. */
  readonly page: string | undefined;
  readonly #requests: HandleRequests;
  readonly #browser: HandleRequests | undefined;
  readonly #countedBy: SessionHandle | undefined;
  #notices: Notices | undefined;
  #session: SessionHandle | undefined;
  #person: SessionHandle | undefined;
  // The answer to the page's own view, where that was sent through this handle.
  #ownView: Promise<PageviewReply | undefined> | undefined;

  constructor(requests: HandleRequests, { page, browser, countedBy }: HandlePage = {}) {
    this.#requests = requests;
    this.id = requests.session;
    this.page = page;
    this.#browser = browser;
    this.#countedBy = countedBy;
  }

  /** How long this page may still wait, in milliseconds. */
  get leftMs(): number {
    return this.#requests.leftMs;
  }

  /** The visitor's notices. */
  get notices(): Notices {
    this.#notices ??= new Notices(this.#requests);
    return this.#notices;
  }

  /** The same page, asked as the session of the browser: this handle, unless it is a person's. */
  get session(): SessionHandle {
    if (!this.#isPersons()) return this;
    this.#session ??= new SessionHandle(this.#browser ?? new NoVisitor(this.leftMs), { page: this.page });
    return this.#session;
  }

  /** The same page, asked as the person: this handle if it is a person's, else one without a visitor. */
  get person(): SessionHandle {
    if (this.#isPersons()) return this;
    this.#person ??= new SessionHandle(new NoVisitor(this.leftMs), { page: this.page });
    return this.#person;
  }

  /** Tells what the visit was before this page, with this page in the two counts: what its view answers. It is a question
   *  and counts nothing; where the view was counted through this handle, it is that view's answer. Where the request is no
   *  page view (`page` is undefined), nothing is counted in. On the wire `session-analytics` with the page as `here`, or
   *  the answer to `pageview`. */
  visit(): Promise<PageviewReply | undefined> {
    if (this.#ownView) return this.#ownView;
    if (!this.#countedBy) return this.#visitWithPage();
    const counted = this.#countedBy.#ownView ?? Promise.resolve(undefined);
    return counted.then((view) => this.#visitSince(view));
  }

  /** Returns those of `items` that the visitor has not seen, in their order: pages that were not viewed and names that were
   *  not marked. The page that is being rendered counts as seen. At most `limit`; 1,000 items can be asked about at once.
   *  On the wire `surface`.
   *  @throws TypeError for what is no array, RangeError for a limit that is no whole number. */
  unseen(items: readonly string[], options?: ItemOptions): Promise<string[] | undefined>;
  /** Returns those of `objects` whose items the visitor has not seen, in their order: the given objects themselves. `pick`
   *  returns an object's item. At most `limit`. On the wire `surface`.
   *  @throws TypeError for what is no array, and without `pick`; RangeError for a limit that is no whole number. */
  unseen<Thing>(objects: readonly Thing[], pick: ItemPick<Thing>, options?: ItemOptions): Promise<Thing[] | undefined>;
  unseen<Thing>(
    given: readonly Thing[],
    pickOrOptions?: ItemPick<Thing> | ItemOptions,
    more?: ItemOptions,
  ): Promise<Thing[] | undefined> {
    const { things, items, limit } = namedThings('unseen', given, pickOrOptions, more);
    return this.#unseenOf(items).then(
      (unseen) => unseen && things.filter((_, i) => unseen.has(items[i]!)).slice(0, limit),
    );
  }

  /** Returns those of `items` that the visitor has seen, in their order: the others than `unseen` returns. On the wire
   *  `surface`.
   *  @throws TypeError for what is no array. */
  seen(items: readonly string[]): Promise<string[] | undefined> {
    const given = checkArray('seen', items, 'an array of items');
    return this.#unseenOf(given).then((unseen) => unseen && given.filter((item) => !unseen.has(item)));
  }

  /** Marks items that are no pages as seen, and returns them. Views of pages mark pages. On the wire `mark-item-seen`.
   *  @throws TypeError for what is no array. */
  markSeen(items: readonly string[]): Promise<string[] | undefined> {
    return this.#requests.request('mark-item-seen', checkArray('markSeen', items, 'an array of items'));
  }

  /** Returns the suggestions that hold now, each with the items because of which it holds: all of them, or the named one.
   *  On the wire `combo`. */
  suggestions(name = ''): Promise<Suggestion[] | undefined> {
    return this.#requests.request('combo', name);
  }

  /** Returns the figures of all visits as they are now; counts nothing and nothing in. On the wire `session-analytics`. */
  figures(): Promise<AnalyticsReply | undefined> {
    return this.#requests.request('session-analytics', '');
  }

  /** Sends any command of the wire and waits for its answer within this page's deadline. */
  request<C extends CommandName>(
    command: C,
    payload: CommandMap[C]['payload'],
  ): Promise<CommandMap[C]['reply'] | undefined> {
    const answer = this.#requests.request(command, payload);
    if (this.#isOwnView(command, payload)) this.#ownView ??= answer as Promise<PageviewReply | undefined>;
    return answer;
  }

  /** Sends any command of the wire and waits for no answer. Whether it was taken, as far as is known. A view of this
   *  handle's own page has its answer kept for `visit`: there it is whether the view was answered. */
  publish<C extends CommandName>(command: C, payload: CommandMap[C]['payload']): Promise<boolean> {
    if (!this.#isOwnView(command, payload)) return this.#requests.publish(command, payload);
    return this.request(command, payload).then((answer) => answer !== undefined);
  }

  #visitWithPage(): Promise<PageviewReply | undefined> {
    const here = this.#here();
    return this.#requests.request('session-analytics', here === undefined ? '' : { here }).then(visitOf);
  }

  // A view without an answer may have been lost.
  async #visitSince(view: PageviewReply | undefined): Promise<PageviewReply | undefined> {
    if (!view) return this.#visitWithPage();
    const figures = await this.figures();
    return figures && visitWithCountedView(figures, view);
  }

  // The items that are new to the visitor, as they were given.
  #unseenOf(items: readonly string[]): Promise<ReadonlySet<string> | undefined> {
    const here = this.#here();
    const asked = this.#requests.request('surface', here === undefined ? items : { items, here });
    return asked.then((unseen) => unseen && new Set(unseen));
  }

  // The path of `page`; undefined also where that cannot be counted.
  #here(): string | undefined {
    return this.page === undefined ? undefined : pathOf(this.page);
  }

  #isOwnView(command: CommandName, payload: unknown): boolean {
    if (command !== 'pageview') return false;
    const here = this.#here();
    return here !== undefined && pathOf(payload) === here;
  }

  #isPersons(): boolean {
    return this.id !== undefined && isPerson(this.id);
  }
}

// The path of a page or of a view's payload; undefined for what cannot be counted as a view. That cannot have been seen
// either: an answer without it is better than none.
function pathOf(page: unknown): string | undefined {
  try {
    const payload = typeof page === 'string' && page.startsWith('{') ? JSON.parse(page) : page;
    return normalizeItem(typeof payload === 'string' ? payload : payload.path);
  } catch {
    return undefined;
  }
}
