import type { DegradedOperation } from './degraded-operation.ts';

/** Events of a session store, with what their listeners get. */
export interface SessionStoreEvents {
  /** Redis cannot be reached, or does not answer; told once for each outage. */
  'store:down': [Error];
  /** It answers again. */
  'store:up': [];
  /** With `mirrorTo`: a session was saved, but its copy for connect-redis could not be written. */
  'mirror:failed': [Error];
  /** With `fail: 'open'`: a request goes on without its session, or its changes are lost. */
  degraded: [DegradedOperation];
}
