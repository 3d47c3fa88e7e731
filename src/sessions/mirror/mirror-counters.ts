/** How often a store has copied sessions for connect-redis, and what came of it, since it was made. */
export interface MirrorCounters {
  /** Copies that were written, or found to be right already. */
  readonly copied: number;
  /** Copies that could not be written; the session itself was. */
  readonly failed: number;
  /** Changes by processes with connect-redis that were taken into our sessions. */
  readonly merged: number;
  /** Sessions that were ended here because a process with connect-redis had ended them. */
  readonly ended: number;
}
