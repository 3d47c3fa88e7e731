import 'express-session';

declare module 'express-session' {
  interface SessionData {
    /** The name that somebody logged in with. */
    name?: string | undefined;
  }
}
