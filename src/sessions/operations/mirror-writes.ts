import type { BoundedOperation } from '../connection/bounded-operation.ts';
import type { ResolvedReference } from '../tokens/session-reference.ts';

/** Writes a second copy of each session, for another program that reads it there. */
export interface MirrorWrites {
  /** Does `work`, which writes a session, and copies the session in the same round trip where `work` takes one. A copy that
   *  fails does not fail `work`. */
  along<Result>(redis: BoundedOperation, reference: ResolvedReference, work: () => Promise<Result>): Promise<Result>;
  /** Deletes the copy of a session that has ended. */
  drop(redis: BoundedOperation, session: string): Promise<void>;
}
