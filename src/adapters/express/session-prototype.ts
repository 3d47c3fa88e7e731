import type { Session } from 'express-session';
import { type RequestSessions, StoreUnavailableError, sessionMethods } from '../index.ts';
import type { SessionStore } from './session-store.ts';
import type { StoreRequest } from './store-request.ts';

/** Makes the prototype of a store's sessions: express-session's own, with the operations as methods. */
export function createPrototype(base: Session, store: SessionStore, sessions: RequestSessions): object {
  const { states } = sessions;
  const overrides = {
    // Limits the cookie to the latest end of the session.
    resetMaxAge(this: Session): Session {
      // express-session sets the age to the remaining time, which is less once the clock has ticked.
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
    // A degraded session stands in for one that may exist and that the request has not seen.
    destroy(this: Session, callback: (error?: unknown) => void): Session {
      if (!states.isDegraded(this)) return base.destroy.call(this, callback);
      callback?.(new StoreUnavailableError('The session could not be read, so it was not ended.'));
      return this;
    },
    // express-session writes the session as JSON to see whether it was changed. A field that cannot be written is named
    // here.
    toJSON(this: Session): Session {
      states.checkFields(this);
      return this;
    },
  };
  const hidden = Object.entries(overrides).map(([name, value]) => [
    name,
    { value, configurable: true, writable: true },
  ]);
  return Object.create(base, {
    ...sessionMethods<StoreRequest>(store, (own) => (own as { readonly req: StoreRequest }).req),
    ...Object.fromEntries(hidden),
  }) as object;
}
