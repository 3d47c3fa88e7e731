import type {
  AnalyticsReply,
  CommandMap,
  CommandName,
  ExplainedSuggestions,
  PageviewReply,
  Suggestion,
  SuggestionMark,
  TrackPayload,
} from '../protocol/index.ts';
import { isPerson, normalizeItem } from '../protocol/index.ts';
import { checkOptions, type OptionForms } from '../protocol/internal/index.ts';
import { visitOf, visitWithCountedView } from './counted-visit.ts';
import { checkArray, type ItemOptions, type ItemPick, namedThings } from './handle-arguments.ts';
import { NoVisitor } from './no-visitor.ts';
import { Notices, type OfGroups } from './notices.ts';
import type { HandleRequests } from './page-requests.ts';

/** Of which suggestions something is asked. */
export interface SuggestionsOptions extends OfGroups {
  /** The rule. Default: all. */
  readonly name?: string;
  /** Whether to say of each rule why. Default false. */
  readonly explain?: boolean;
}

const SUGGESTIONS: OptionForms<SuggestionsOptions> = { name: 'string', explain: 'boolean', groups: 'object' };
const IS: OptionForms<OfGroups> = { groups: 'object' };

/** Details of an event. */
export type EventDetails = Omit<TrackPayload, 'event'>;

const EVENT_DETAILS: OptionForms<EventDetails> = {
  count: 'number',
  items: 'object',
  at: 'number',
  once: 'string',
};

/** What a client may be told of the page for which it opens a handle. */
export interface PageOptions {
  /** How long all requests of this page may wait together, in milliseconds. Default: the client's. */
  readonly deadlineMs?: number;
  /** The page that is being rendered: its path or URL, of which only the path is sent. `visit` counts it in and `unseen`
   *  treats it as seen, because its view may count only when it has been answered. */
  readonly page?: string | undefined;
  /** Where the handle is a person's: the session of the browser, which `handle.session` asks as. Default: none. */
  readonly browser?: string | undefined;
  /** The groups to which the visitor belongs: whose notices they are shown, and for which rules ask. Default: none. */
  readonly groups?: readonly string[] | undefined;
  /** The handle through which the view of `page` was counted already, for a visitor whose knowledge is this subject's since:
   *  `visit` does not count the page in once more. Default: none. */
  readonly countedBy?: SessionHandle | undefined;
}

/** What a handle is told of its page. */
interface HandlePage extends Pick<PageOptions, 'page' | 'groups' | 'countedBy'> {
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
  readonly #groups: readonly string[] | undefined;
  #notices: Notices | undefined;
  #session: SessionHandle | undefined;
  #person: SessionHandle | undefined;
  // The answer to the page's own view, where that was sent through this handle.
  #ownView: Promise<PageviewReply | undefined> | undefined;

  constructor(requests: HandleRequests, { page, browser, groups, countedBy }: HandlePage = {}) {
    this.#requests = requests;
    this.id = requests.session;
    this.page = page;
    this.#browser = browser;
    this.#groups = groups;
    this.#countedBy = countedBy;
  }

  /** How long this page may still wait, in milliseconds. */
  get leftMs(): number {
    return this.#requests.leftMs;
  }

  /** The visitor's notices. */
  get notices(): Notices {
    this.#notices ??= new Notices(this.#requests, this.#groups);
    return this.#notices;
  }

  /** The same page, asked as the session of the browser: this handle, unless it is a person's. */
  get session(): SessionHandle {
    if (!this.#isPersons()) return this;
    this.#session ??= new SessionHandle(this.#browser ?? new NoVisitor(this.leftMs), this.#samePage);
    return this.#session;
  }

  /** The same page, asked as the person: this handle if it is a person's, else one without a visitor. */
  get person(): SessionHandle {
    if (this.#isPersons()) return this;
    this.#person ??= new SessionHandle(new NoVisitor(this.leftMs), this.#samePage);
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

  /** Returns what is suggested now, each with the items, events and clusters because of which: all, or of the named rule.
   *  The page that is being rendered counts as viewed. On the wire `combo`.
   *  @throws RangeError for an option that is unknown or of the wrong type. */
  suggestions(
    options?: string | (SuggestionsOptions & { readonly explain?: false }),
  ): Promise<Suggestion[] | undefined>;
  /** Returns what is suggested now, and of each rule why it is suggested or not. On the wire `combo`. */
  suggestions(options: SuggestionsOptions & { readonly explain: true }): Promise<ExplainedSuggestions | undefined>;
  suggestions(options: string | SuggestionsOptions = {}): Promise<never | undefined> {
    const given = typeof options === 'string' ? (options === '' ? {} : { name: options }) : options;
    checkOptions('suggestions()', given, SUGGESTIONS);
    return this.#requests.request('combo', this.#ofPage(given)) as Promise<never | undefined>;
  }

  /** Tells whether a segment holds. The page that is being rendered counts as viewed. On the wire `segments`.
   *  @throws RangeError for an option that is unknown or of the wrong type. */
  is(segment: string, options: OfGroups = {}): Promise<boolean | undefined> {
    checkOptions('is()', options, IS);
    const asked = this.#requests.request('segments', this.#ofPage({ names: [segment], ...options }));
    return asked.then((answer) => answer?.[segment]);
  }

  /** Notes that something happened: `track('added-to-cart', { count: 2, items: ['/tv'] })`. Returns how often it happened in
   *  all. On the wire `track`.
   *  @throws RangeError for an option that is unknown or of the wrong type. */
  track(event: string, details: EventDetails = {}): Promise<number | undefined> {
    checkOptions('track()', details, EVENT_DETAILS);
    return this.#requests.request('track', { ...details, event }).then((reply) => reply?.count);
  }

  /** Notes that suggestions are shown on this page: what their rules say of `show` and `cooldown` counts from it. On the
   *  wire `mark-suggestions`.
   *  @throws TypeError for what is no array. */
  shown(rules: readonly string[]): Promise<boolean> {
    const shown = checkArray('shown', rules, 'an array of names');
    return shown.length === 0 ? Promise.resolve(true) : this.#markSuggestions(shown, 'shown');
  }

  /** Notes that the visitor took a suggestion. On the wire `mark-suggestions`. */
  taken(rule: string): Promise<boolean> {
    return this.#markSuggestions([rule], 'taken');
  }

  /** Notes that the visitor does not want a suggestion: it is suggested no more. On the wire `mark-suggestions`. */
  dismiss(rule: string): Promise<boolean> {
    return this.#markSuggestions([rule], 'dismissed');
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

  #markSuggestions(rules: readonly string[], as: SuggestionMark): Promise<boolean> {
    return this.#requests.request('mark-suggestions', { rules, as }).then((reply) => reply !== undefined);
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

  // Adds the page, unless its view was sent before: that must not count twice. And its groups, where none are given.
  #ofPage<Query extends OfGroups>(query: Query): Query {
    const here = this.#wasViewSent() ? undefined : this.#here();
    const groups = this.#groups?.length ? this.#groups : undefined;
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const ofPage = Object.entries({ here, groups }).filter(([, value]) => value !== undefined);
    return Object.fromEntries([...ofPage, ...given]) as Query;
  }

  #wasViewSent(): boolean {
    if (this.#ownView) return true;
    return this.#countedBy ? this.#countedBy.#wasViewSent() : false;
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

  get #samePage(): HandlePage {
    return { page: this.page, groups: this.#groups };
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
