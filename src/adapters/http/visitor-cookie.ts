import { randomBytes } from 'node:crypto';
import { personOf, sessionOf } from '../../protocol/index.ts';
import { checkVisitorCookie, type VisitorCookieOptions } from './visitor-cookie-options.ts';

/* visitor-cookie.ts: by this cookie a browser is the same visitor again. It is not the session's: so neither `regenerate`
 * nor a planted session cookie has anything to do with what is known of a visitor. All state is in the cookie, because the
 * next request may reach another process:
 *
 *   <value>              a visitor, until the browser is closed
 *   <value>.<day>        a visitor; the day (of 1970, UTC) on which the cookie was set, which tells when to renew it
 *   <value>.p<mark>      somebody has logged in since: only to be merged into that person, and never asked about
 *
 * `value` is 24 random bytes in base64url. Redis has only its hash, which is no cookie. */

const FORM = /^([A-Za-z0-9_-]{32})(?:\.(\d{1,6})|\.p([0-9a-z]{8}))?$/;
const DAY_MS = 86_400_000;
const MARK_LENGTH = 8;

/** A visitor's cookie, as a browser sends it. */
export interface VisitorCookie {
  readonly value: string;
  /** Day of 1970 on which it was set. Undefined where it ends with the browser, or is pending. */
  readonly day?: number | undefined;
  /** Mark of the person into whom the visitor is to be merged, where it is. */
  readonly pendingFor?: string | undefined;
}

/** Reads and writes the cookies of visitors. */
export class VisitorCookies {
  readonly name: string;
  readonly #maxAgeS: number;
  readonly #attributes: string;
  readonly #secure: boolean | 'auto';

  /** @throws RangeError for an option that is unknown or cannot be used. */
  constructor(owner: string, options: VisitorCookieOptions = {}) {
    const { name, maxAge, domain, path, sameSite, secure } = checkVisitorCookie(owner, options);
    this.name = name;
    this.#maxAgeS = Math.max(1, Math.floor(maxAge / 1_000));
    const inDomain = domain === undefined ? '' : `; Domain=${domain}`;
    this.#attributes = `${inDomain}; Path=${path}; HttpOnly; SameSite=${sameSite[0]!.toUpperCase()}${sameSite.slice(1)}`;
    this.#secure = secure;
  }

  /** Reads a Cookie header. `isPresent`: whether there is a cookie of the name at all, be it one of ours or not. */
  read(header: string | undefined): { readonly cookie: VisitorCookie | undefined; readonly isPresent: boolean } {
    let isPresent = false;
    for (const pair of header?.includes(this.name) ? header.split(';') : []) {
      const text = pair.trim();
      if (!text.startsWith(`${this.name}=`)) continue;
      isPresent = true;
      const form = FORM.exec(text.slice(this.name.length + 1));
      if (!form) continue;
      const [, value, day, pendingFor] = form;
      return { cookie: { value: value!, day: day === undefined ? undefined : Number(day), pendingFor }, isPresent };
    }
    return { cookie: undefined, isPresent };
  }

  /** Returns the Set-Cookie line for a visitor. `isBrief`: it ends with the browser's session. */
  line({ value, day, pendingFor }: VisitorCookie, isSecure: boolean, isBrief: boolean): string {
    const suffix = pendingFor !== undefined ? `.p${pendingFor}` : day !== undefined ? `.${day}` : '';
    const age = isBrief ? '' : `; Max-Age=${this.#maxAgeS}`;
    return `${this.name}=${value}${suffix}${this.#attributesFor(isSecure)}${age}`;
  }

  /** Returns the Set-Cookie line that removes the cookie. */
  removal(isSecure: boolean): string {
    return `${this.name}=${this.#attributesFor(isSecure)}; Max-Age=0`;
  }

  #attributesFor(isSecure: boolean): string {
    return this.#secure === true || (this.#secure === 'auto' && isSecure)
      ? `${this.#attributes}; Secure`
      : this.#attributes;
  }
}

/** Makes the value of a new visitor's cookie. */
export function newVisitorValue(): string {
  return randomBytes(24).toString('base64url');
}

/** Returns the id under which a visitor is asked about. */
export function visitorOf(value: string): string {
  return sessionOf(value);
}

/** Returns the id under which somebody who is logged in is asked about where the visitor must not be merged into the
 *  person: another one for each browser session, and none that anybody else can have. */
export function briefSubjectOf(value: string, userId: string): string {
  return sessionOf(`${value}\0${personOf(userId)}`);
}

/** Returns the mark by which a pending cookie tells its person from any other: another one for each visitor, so that two
 *  browsers of one user cannot be told to be that. */
export function pendingMarkOf(value: string, userId: string): string {
  return briefSubjectOf(value, userId).slice(0, MARK_LENGTH);
}

/** Returns the day of 1970, by this process's clock. */
export function today(): number {
  return Math.floor(Date.now() / DAY_MS);
}
