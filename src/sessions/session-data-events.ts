/** Events of a `SessionData`. */
export interface SessionDataEvents {
  /** Operations fail, for the first time since they last succeeded. */
  'store:down': [Error];
  /** Operations succeed again. */
  'store:up': [];
  /** The option `archive` could not take a session; it waits and is tried again. */
  'archive:failed': [Error];
  /** The archive has taken a session again. */
  'archive:back': [];
}
