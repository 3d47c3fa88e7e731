/** A request's session: its token, and the object that the application changes. Where `rotate` has given it others since,
 *  those count. */
export interface CurrentSession {
  readonly token: string;
  readonly values: object;
}
