/** Session of a request: its token, and the object that the application changes. Operations that come behind a
 *  rotation take the token and the object that it gave instead. */
export interface CurrentSession {
  readonly token: string;
  readonly values: object;
}
