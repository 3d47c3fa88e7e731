/** How long a record outlives its session's end, in milliseconds, so that a sweep can still find it. */
export const KEPT_AFTER_END_MS = 86_400_000;

/** How long a session that was ended cannot be made again, in milliseconds: a request that began before the logout may
 *  still save. */
export const TOMBSTONE_MS = 3_600_000;

/** How long an ended session waits for the archive before it expires, in milliseconds. */
export const KEPT_FOR_ARCHIVE_MS: number = 30 * 86_400_000;
