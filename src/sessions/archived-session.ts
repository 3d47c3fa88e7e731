/** An ended session, as an archive gets it. Times are milliseconds of the epoch by Redis's clock. */
export interface ArchivedSession {
  readonly namespace: string;
  /** The public id. With `createdAt` it names one life of a session: an id that comes from a caller's own token can
   *  live again after it has expired. */
  readonly session: string;
  /** The user's id, as `identify` was given it. */
  readonly userId?: string;
  /** The device, as `identify` was given it. */
  readonly device?: string;
  /** `ended` by an operation, or `expired` by its own time. */
  readonly reason: 'ended' | 'expired';
  readonly createdAt: number;
  /** When it was last written or renewed. */
  readonly lastSeenAt: number;
  readonly endedAt: number;
  /** The fields that the application saw, without `cookie`. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Counters of its page views; null where there are none (any more), or where they cannot be read. */
  readonly activity: ArchivedActivity | null;
}

/** The sum of a session's page views. */
export interface ArchivedActivity {
  readonly totalPages: number;
  readonly uniquePages: number;
  /** Whether `uniquePages` is exact or an estimate. */
  readonly uniquePagesExact: boolean;
  readonly activeMinutes: number;
  /** Null where there is none. */
  readonly firstActiveMinute: number | null;
}

/** Stores an ended session for good. When its promise resolves, the session is deleted from Redis; when it rejects
 *  or does not settle in time, the function is called again later. So it is called at least once for each session
 *  and must accept the same one twice, even at the same time: same namespace, `session` and `createdAt`. */
export type ArchiveFunction = (ended: ArchivedSession) => Promise<void>;
