import { personOf } from '../../protocol/index.ts';
import type { Consent } from './consent.ts';
import type { MergedVisitors } from './merged-visitors.ts';
import { isForSharedCaches } from './shared-caches.ts';
import {
  briefSubjectOf,
  newVisitorValue,
  pendingMarkOf,
  today,
  type VisitorCookie,
  type VisitorCookies,
  visitorOf,
} from './visitor-cookie.ts';

/* visit.ts: whom one request of a browser is asked as, and what becomes of its cookie.
 *
 * Without a user it is the visitor of the cookie, or a new one. With a user it is that person, and a visitor of before is
 * merged into them; their cookie is removed once that was acknowledged, and is pending until then. A pending cookie is
 * never asked about, so behind a logout the browser is a new visitor at once, whatever the site does with its session. */

/** Parts of a request and of its site that a visit needs. */
export interface VisitSetting {
  readonly cookies: VisitorCookies;
  readonly merged: MergedVisitors;
  readonly consent: Consent;
  /** Whether the request may begin a visitor: no image does. */
  readonly mayBegin: boolean;
  /** Whether the request asks for a page, on whose answer the cookie may be renewed. */
  readonly isPage: boolean;
  readonly isSecure: boolean;
  /** The Cookie header. */
  readonly cookieHeader: string | undefined;
  /** Returns the user that the request has now. */
  readonly user: () => string | undefined;
}

/** One request of a browser. */
export class Visit {
  readonly #setting: VisitSetting;
  readonly #incoming: VisitorCookie | undefined;
  readonly #isPresent: boolean;
  /** The visitor that the browser is or was: of the cookie, or new. */
  readonly #value: string | undefined;
  /** The user at the beginning. */
  readonly #userBefore: string | undefined;
  /** The user that the session was given to within the request. */
  #identified: string | undefined;
  /** The user into whom the visitor is merged: the first one, and no other after that. */
  #mergesInto: string | undefined;
  #isMerged = false;
  /** Whether the browser has the visitor's cookie, or gets it with this answer. */
  #isGiven: boolean;

  /** @throws errors of the function that tells the user. */
  constructor(setting: VisitSetting) {
    this.#setting = setting;
    const { cookies, cookieHeader, user, consent, mayBegin } = setting;
    const { cookie, isPresent } = cookies.read(cookieHeader);
    this.#incoming = cookie;
    this.#isPresent = isPresent;
    this.#userBefore = consent === 'none' ? undefined : user();
    const isUsable = cookie !== undefined && this.#isUsable(cookie);
    this.#isGiven = isUsable;
    // A person needs no cookie for what they have agreed to.
    const needsOne = this.#userBefore === undefined || consent === 'session';
    if (isUsable) this.#value = cookie.value;
    else if (consent !== 'none' && mayBegin && needsOne) this.#value = newVisitorValue();
    if (this.#userBefore !== undefined) this.#mergeInto(this.#userBefore);
  }

  /** Name of the cookie. */
  get cookieName(): string {
    return this.#setting.cookies.name;
  }

  /** The user that the request has now. The function of the site may fail at the end of a request; then it is the one that
   *  the request had. */
  get userNow(): string | undefined {
    if (this.#setting.consent === 'none') return undefined;
    try {
      return this.#setting.user();
    } catch {
      return this.#identified ?? this.#userBefore;
    }
  }

  /** Id under which the request asks; undefined where there is no visitor. */
  get subject(): string | undefined {
    return this.#subjectOf(this.#identified ?? this.#userBefore);
  }

  /** Id of the browser's visitor, where the request asks as a person: who it was until the login. Undefined where the browser
   *  has no visitor, or one that is only to be merged. */
  get browserSubject(): string | undefined {
    if (this.#value === undefined || this.#setting.consent !== 'all') return undefined;
    if ((this.#identified ?? this.#userBefore) === undefined) return undefined;
    const isPending = this.#incoming?.value === this.#value && this.#incoming.pendingFor !== undefined;
    return isPending ? undefined : visitorOf(this.#value);
  }

  /** Visitor who is to be merged into the person that `subject` is; undefined where there is nothing to be merged. */
  get mergesVisitor(): string | undefined {
    if (this.#isMerged || this.#mergesInto === undefined || this.#setting.consent !== 'all') return undefined;
    const isAsked = this.#mergesInto === (this.#identified ?? this.#userBefore);
    return isAsked && this.#value !== undefined ? visitorOf(this.#value) : undefined;
  }

  /** Whether the cookie of this visit may change, so that its answer has to be watched. */
  get hasCookie(): boolean {
    return this.#isPresent || this.#value !== undefined;
  }

  /** Whether the request has a user now whom it did not have at the beginning, and it was so before: the cookie is pending
   *  for them already. A login is not told from that by one request. */
  get isUserLate(): boolean {
    const { userNow } = this;
    if (this.#userBefore !== undefined || userNow === undefined || this.#incoming?.pendingFor === undefined)
      return false;
    return this.#incoming.pendingFor === pendingMarkOf(this.#incoming.value, userNow);
  }

  /** Notes that the visitor is merged. */
  noteMerged(): void {
    this.#isMerged = true;
    this.#setting.merged.add(visitorOf(this.#value!), personOf(this.#mergesInto!));
  }

  /** Notes that the session was given to a user: the rest of the request asks as that person. Returns whether what the
   *  request has counted so far is that person's. */
  identify(userId: string): boolean {
    this.#identified = userId;
    this.#mergeInto(userId);
    return this.#mergesInto === userId && this.#setting.consent === 'all';
  }

  /** Returns the Set-Cookie line for the answer; undefined where the cookie stays as it is. `cacheControl`: the answer's. */
  cookieLine(cacheControl: string | undefined): string | undefined {
    const { cookies, consent, isSecure } = this.#setting;
    // What a shared cache keeps is for everybody.
    if (isForSharedCaches(cacheControl)) return undefined;
    const userNow = this.userNow;
    if (userNow !== undefined) this.#mergeInto(userNow);
    const removal = this.#isPresent ? cookies.removal(isSecure) : undefined;
    if (consent === 'none' || this.#isMerged) return removal;
    if (this.#value === undefined) {
      // Pending for somebody else than who is here now.
      return this.#incoming?.pendingFor !== undefined && this.#mergesInto !== undefined ? removal : undefined;
    }
    const cookie = this.#cookieNow(this.#value);
    if (!cookie) return undefined;
    this.#isGiven = true;
    return cookies.line(cookie, isSecure, consent === 'session');
  }

  /** Id for which a page counts whose answer has ended; undefined where it counts for nobody. */
  get subjectAtEnd(): string | undefined {
    const userNow = this.userNow;
    const user = userNow ?? this.#identified;
    // A logout: it is no page of the person's, and the new visitor's only begins with the next one.
    if (user === undefined && this.#userBefore !== undefined) return undefined;
    // A visitor who has no cookie never comes back.
    return user === undefined && !this.#isGiven ? undefined : this.#subjectOf(user);
  }

  #subjectOf(user: string | undefined): string | undefined {
    const { consent } = this.#setting;
    if (consent === 'none') return undefined;
    if (user !== undefined && consent === 'all') return personOf(user);
    if (this.#value === undefined) return undefined;
    return user === undefined ? visitorOf(this.#value) : briefSubjectOf(this.#value, user);
  }

  #isUsable({ value, pendingFor }: VisitorCookie): boolean {
    if (this.#setting.consent === 'none') return false;
    if (pendingFor === undefined) return true;
    return this.#userBefore !== undefined && pendingFor === pendingMarkOf(value, this.#userBefore);
  }

  #mergeInto(user: string): void {
    if (this.#mergesInto !== undefined) return;
    this.#mergesInto = user;
    if (this.#value === undefined || this.#setting.consent !== 'all') return;
    this.#isMerged = this.#setting.merged.has(visitorOf(this.#value), personOf(user));
  }

  // The cookie that the browser should have; undefined where it has it.
  #cookieNow(value: string): VisitorCookie | undefined {
    const { consent, isPage } = this.#setting;
    const incoming = this.#incoming?.value === value ? this.#incoming : undefined;
    if (this.#mergesInto !== undefined) {
      const pendingFor = pendingMarkOf(value, this.#mergesInto);
      return incoming?.pendingFor === pendingFor ? undefined : { value, pendingFor };
    }
    const day = consent === 'session' ? undefined : today();
    return incoming?.day === day && incoming !== undefined
      ? undefined
      : incoming && !isPage
        ? undefined
        : { value, day };
  }
}
