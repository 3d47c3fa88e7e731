import type session from 'express-session';
import { type SessionInfo, type SetIfOutcome, StoreUnavailableError } from '../../sessions/index.ts';
import type { RequestSessions } from '../index.ts';
import type { SessionStore, StoreRequest } from './session-store.ts';

/** What `request.session` can do with a SessionStore, beside what express-session gives it. */
export interface SessionMethods {
  /** See `SessionStore.rotate`. */
  rotate(options?: { readonly grace?: boolean }): Promise<void>;
  /** See `SessionStore.identify`. */
  identify(userId: string, options?: { readonly device?: string }): Promise<string[]>;
  /** See `SessionStore.increment`. */
  increment(field: string, by?: number): Promise<number>;
  /** See `SessionStore.append`. */
  append(field: string, ...values: unknown[]): Promise<unknown[]>;
  /** See `SessionStore.setIf`. */
  setIf(version: number, values: Readonly<Record<string, unknown>>): Promise<SetIfOutcome>;
  /** See `SessionStore.info`. */
  info(): SessionInfo | undefined;
  /** See `SessionStore.isDegraded`. */
  isDegraded(): boolean;
}

declare module 'express-session' {
  interface Session extends SessionMethods {}
}

/** The prototype of a store's sessions: express-session's own, and our methods. */
export function createPrototype(base: session.Session, store: SessionStore, sessions: RequestSessions): object {
  const methods: SessionMethods & ThisType<{ readonly req: StoreRequest }> = {
    rotate(options) {
      return store.rotate(this.req, options);
    },
    identify(userId, options) {
      return store.identify(this.req, userId, options);
    },
    increment(field, by) {
      return store.increment(this.req, field, by);
    },
    append(field, ...values) {
      return store.append(this.req, field, ...values);
    },
    setIf(version, values) {
      return store.setIf(this.req, version, values);
    },
    info() {
      return store.info(this.req);
    },
    isDegraded() {
      return store.isDegraded(this.req);
    },
  };
  const overrides = {
    // No cookie outlives what the session may.
    resetMaxAge(this: session.Session): session.Session {
      // express-session counts the age from what is left at this moment, which is less where the clock has ticked.
      const { originalMaxAge } = this.cookie;
      base.resetMaxAge.call(this);
      const last = sessions.lastMoment(this);
      const { cookie } = this;
      if (last !== undefined && cookie.expires instanceof Date && cookie.expires.getTime() > last) {
        cookie.expires = new Date(last);
      }
      cookie.originalMaxAge = originalMaxAge;
      return this;
    },
    // It stands in for one that is there, perhaps, and that nobody has seen.
    destroy(this: session.Session, callback: (error?: unknown) => void): session.Session {
      if (!sessions.isDegraded(this)) return base.destroy.call(this, callback);
      callback?.(new StoreUnavailableError('The session could not be read, so it was not ended.'));
      return this;
    },
    // express-session writes the session as JSON to see whether it was changed. What cannot be written is named here.
    toJSON(this: session.Session): session.Session {
      sessions.checkFields(this);
      return this;
    },
  };
  const hidden = Object.entries({ ...methods, ...overrides }).map(([name, value]) => [
    name,
    { value, configurable: true, writable: true },
  ]);
  return Object.create(base, Object.fromEntries(hidden)) as object;
}
