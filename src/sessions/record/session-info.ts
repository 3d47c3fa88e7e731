/** What is known of a session beside its data. */
export interface SessionInfo {
  /** The public id. */
  readonly session: string;
  /** Whom `identify` gave it to. Not told where the request came with the previous secret: what is asked by a user's id
   *  is answered with what is there now. */
  readonly userId: string | undefined;
  /** When it was first saved, in milliseconds of the epoch, as all times here. */
  readonly createdAt: number;
  /** When it was last written or renewed; up to `touchEveryMs` behind the last request. */
  readonly lastSeenAt: number;
  /** When it ends unless it is used. */
  readonly expiresAt: number;
  /** How often its data, its user or its secret were changed; what `setIf` takes. */
  readonly version: number;
  /** Whether the request came with the previous secret, within the grace of `rotate({ grace: true })`: then it sees what
   *  was there before, and can change nothing. */
  readonly byPreviousSecret: boolean;
}
