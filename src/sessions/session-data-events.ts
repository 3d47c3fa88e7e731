/** Events of a `SessionData`. */
export interface SessionDataEvents {
  /** Operations fail, for the first time since they last succeeded. */
  'store:down': [Error];
  /** Operations succeed again. */
  'store:up': [];
  /** With `mirrorTo`: a session was saved, but its copy for connect-redis could not be written. */
  'mirror:failed': [Error];
  /** The option `archive` could not take a session; it waits and is tried again. */
  'archive:failed': [Error];
  /** The archive has taken a session again. */
  'archive:back': [];
}
