import type { CommandConnection, Keys } from '../../redis/index.ts';
import type { StoreConnection } from '../connection/store-connection.ts';
import { DEFAULT_IDLE_MS, type SessionDataSettings } from '../options.ts';
import type { LoadedSession } from '../record/loaded-session.ts';
import type { RecordHeader } from '../record/record-header.ts';

/** When a session ends, as a save or a touch tells it. */
export interface EndTerms {
  /** How long it may rest from now, in milliseconds; below 0: its end stays where it is. */
  readonly idleMs: number;
  readonly touchEveryMs: number;
  /** `cookie.expires` in milliseconds of the epoch; 0 for none. */
  readonly cookieExpiresAt: number;
}

// Of a time this near the clocks of two machines may think differently: Redis's own is asked.
const CLOCK_DOUBT_MS = 2_000;
// How far two clocks drift apart between two measurements.
const CLOCK_DRIFT_MS = 10;

/** When sessions end: by Redis's clock, as far as it is known here, and by Redis itself where that is not enough. */
export class SessionTimes {
  readonly #connection: StoreConnection;
  readonly #keys: Keys;
  readonly #settings: SessionDataSettings;

  constructor(connection: StoreConnection, keys: Keys, settings: SessionDataSettings) {
    this.#connection = connection;
    this.#keys = keys;
    this.#settings = settings;
  }

  /** The time by the clock of the Redis that holds a session, in milliseconds of the epoch. */
  now(session: string): number {
    return this.#connection.now(session);
  }

  /** The terms of a session whose cookie says `cookieExpiresAt` (undefined: it has no cookie, or one without an end). */
  termsFor(cookieExpiresAt: number | undefined, mostIdleMs: number = Number.POSITIVE_INFINITY): EndTerms {
    const { idleMs, touchEveryMs } = this.#settings;
    // The cookie was made by this process's clock, so it is read by it.
    const restMs = cookieExpiresAt ? Math.max(0, cookieExpiresAt - Date.now()) : (idleMs ?? DEFAULT_IDLE_MS);
    const idle = Math.min(restMs, idleMs ?? Number.POSITIVE_INFINITY, mostIdleMs);
    return {
      idleMs: idle,
      touchEveryMs: Math.min(touchEveryMs ?? Math.floor(idle / 10), idle),
      cookieExpiresAt: cookieExpiresAt ?? 0,
    };
  }

  /** The terms of a cookie that was not renewed: its `expires` is an earlier request's, perhaps by another machine's
   *  clock, so its age counts from now; without one the end stays where it is. */
  termsForAge(originalMaxAge: unknown): EndTerms | undefined {
    return typeof originalMaxAge === 'number' && originalMaxAge > 0
      ? this.termsFor(Date.now() + originalMaxAge)
      : undefined;
  }

  /** Whether a session's end, as it was loaded, need not be moved for what `terms` say. */
  isFresh({ session, facts }: LoadedSession, terms: EndTerms): boolean {
    if (!this.#connection.clocks.knowsTimeOf(session)) return false;
    const now = this.now(session);
    const last = this.#lastMoment(facts);
    // A save takes a while to Redis, and only where the idle time was really shortened the end is too late.
    const slack = CLOCK_DRIFT_MS + this.#connection.clocks.of(session).errorMs + terms.touchEveryMs / 10;
    const latest = Math.min(now + terms.idleMs + terms.touchEveryMs, last);
    return (
      terms.touchEveryMs > 0 &&
      now < last - CLOCK_DOUBT_MS &&
      facts.expiresAt >= Math.min(now + terms.idleMs, last) &&
      facts.expiresAt <= latest + slack
    );
  }

  /** Whether a session that was loaded lives without a doubt. */
  livesOn({ session, facts }: LoadedSession): boolean {
    if (!this.#connection.clocks.knowsTimeOf(session)) return false;
    return Math.min(facts.expiresAt, this.#lastMoment(facts)) - this.now(session) > CLOCK_DOUBT_MS;
  }

  /** Whether a session is over. */
  async isOver(redis: CommandConnection, session: string, header: RecordHeader): Promise<boolean> {
    const end = Math.min(header.expiresAt, this.#lastMoment(header));
    const { clocks } = this.#connection;
    if (clocks.knowsTimeOf(session) && end - this.now(session) > CLOCK_DOUBT_MS) return false;
    return (await clocks.read(redis, this.#keys.record(session))) >= end;
  }

  #lastMoment({ createdAt }: RecordHeader): number {
    const { absoluteMs } = this.#settings;
    return absoluteMs > 0 ? createdAt + absoluteMs : Number.POSITIVE_INFINITY;
  }
}
