import type { CommandConnection, Keys } from '../../redis/index.ts';
import type { StoreConnection } from '../connection/store-connection.ts';
import { DEFAULT_IDLE_MS, type SessionDataSettings } from '../options.ts';
import type { LoadedRecord } from '../record/loaded-record.ts';
import type { RecordHeader } from '../record/record-header.ts';

/** When a session ends after a save or a touch. */
export interface ExpiryOptions {
  /** Idle time from now, in milliseconds; below 0: the end is not moved. */
  readonly idleMs: number;
  readonly touchEveryMs: number;
  /** `cookie.expires` in milliseconds of the epoch; 0 for none. */
  readonly cookieExpiresAt: number;
}

// Two machines' clocks may disagree about a moment this near; then Redis's own clock is asked.
const CLOCK_DOUBT_MS = 2_000;
// Drift of two clocks between two measurements.
const CLOCK_DRIFT_MS = 10;

/** Decides when sessions end: by the estimate of Redis's clock, and by asking Redis where the estimate is too close. */
export class ExpiryPolicy {
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

  /** The expiry of a session whose cookie expires at `cookieExpiresAt` (undefined: no cookie, or one without an
   *  end). */
  expiryFor(cookieExpiresAt: number | undefined, mostIdleMs: number = Number.POSITIVE_INFINITY): ExpiryOptions {
    const { idleMs, touchEveryMs } = this.#settings;
    // This process's clock made the cookie's time, so the same clock reads it.
    const restMs = cookieExpiresAt ? Math.max(0, cookieExpiresAt - Date.now()) : (idleMs ?? DEFAULT_IDLE_MS);
    const idle = Math.min(restMs, idleMs ?? Number.POSITIVE_INFINITY, mostIdleMs);
    return {
      idleMs: idle,
      touchEveryMs: Math.min(touchEveryMs ?? Math.floor(idle / 10), idle),
      cookieExpiresAt: cookieExpiresAt ?? 0,
    };
  }

  /** The expiry for a cookie that was not renewed. Its `expires` comes from an earlier request, perhaps by another
   *  machine's clock, so its maximum age counts from now. Undefined: it has none, and the end is not moved. */
  expiryForAge(originalMaxAge: unknown): ExpiryOptions | undefined {
    return typeof originalMaxAge === 'number' && originalMaxAge > 0
      ? this.expiryFor(Date.now() + originalMaxAge)
      : undefined;
  }

  /** Whether a loaded session's end is near enough to what `expiry` asks for, so that no renewal is sent. */
  isFresh({ session, header }: LoadedRecord, expiry: ExpiryOptions): boolean {
    if (!this.#connection.clocks.knowsTimeOf(session)) return false;
    const now = this.now(session);
    const last = this.#lastMoment(header);
    // A save takes a while to reach Redis: only an end that is later than that explains was shortened on purpose.
    const slack = CLOCK_DRIFT_MS + this.#connection.clocks.of(session).errorMs + expiry.touchEveryMs / 10;
    const latest = Math.min(now + expiry.idleMs + expiry.touchEveryMs, last);
    return (
      expiry.touchEveryMs > 0 &&
      now < last - CLOCK_DOUBT_MS &&
      header.expiresAt >= Math.min(now + expiry.idleMs, last) &&
      header.expiresAt <= latest + slack
    );
  }

  /** Whether a loaded session certainly lives. */
  livesOn({ session, header }: { readonly session: string; readonly header: RecordHeader }): boolean {
    if (!this.#connection.clocks.knowsTimeOf(session)) return false;
    return this.#endOf(header) - this.now(session) > CLOCK_DOUBT_MS;
  }

  /** Whether the time of a session is over that `livesOn` cannot tell to live: asks Redis. */
  async isOver(redis: CommandConnection, session: string, header: RecordHeader): Promise<boolean> {
    return (await this.#connection.clocks.read(redis, this.#keys.record(session))) >= this.#endOf(header);
  }

  #endOf(header: RecordHeader): number {
    return Math.min(header.expiresAt, this.#lastMoment(header));
  }

  #lastMoment({ createdAt }: RecordHeader): number {
    const { absoluteMs } = this.#settings;
    return absoluteMs > 0 ? createdAt + absoluteMs : Number.POSITIVE_INFINITY;
  }
}
