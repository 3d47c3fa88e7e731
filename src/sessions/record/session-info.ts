/** Facts about a session beside its values. */
export interface SessionInfo {
  /** The public id. */
  readonly session: string;
  /** The user's id, as `identify` was given it. Undefined for a request with the previous secret: lookups by user
   *  answer with the present, not with the session as it was before the rotation. */
  readonly userId: string | undefined;
  /** When it was first saved, in milliseconds of the epoch, as all times here. */
  readonly createdAt: number;
  /** When it was last written or renewed, at most `touchEveryMs` before the last request. */
  readonly lastSeenAt: number;
  /** When it ends if it is not used until then. */
  readonly expiresAt: number;
  /** Counts the changes of its data, user and secret; the argument of `setIf`. */
  readonly version: number;
  /** Whether the request came with the previous secret, within the grace of `rotate({ grace: true })`: then it sees the
   *  session as it was before the rotation, and can change nothing. */
  readonly byPreviousSecret: boolean;
}
