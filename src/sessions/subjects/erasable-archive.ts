import type { Subject } from './subject.ts';

/** A row of an archive, as an export tells it. */
export type ArchivedRow = Readonly<Record<string, unknown>>;

/** An archive that can tell and erase what it holds of a subject: `postgresArchive` is one. */
export interface ErasableArchive {
  /** Deletes what it holds of a subject. Returns the public id of the session of each row. */
  erase(namespace: string, subject: Subject): Promise<string[]>;
  /** Reads what it holds of a subject, the oldest first. */
  export(namespace: string, subject: Subject): Promise<ArchivedRow[]>;
}

/** How long an archiver may have a session in hand that has left the queue: its deadline for one session. */
export const ARCHIVE_IN_HAND_MS = 10_000;
