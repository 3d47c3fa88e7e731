/* Work on sessions outside of requests: services, stores and tools do it. It does not load session data. */

export { Archiver } from '../archive/archiver.ts';
export { Lease } from '../expiry/lease.ts';
export { Sweeper } from '../expiry/sweeper.ts';
export { readRecordState } from '../record/record-state.ts';
export type { ArchivedRow, ErasableArchive } from '../subjects/erasable-archive.ts';
export { ARCHIVE_IN_HAND_MS } from '../subjects/erasable-archive.ts';
export type { ErasedSessions } from '../subjects/session-erasure.ts';
export { SessionErasure } from '../subjects/session-erasure.ts';
export type { ExportedSession, ExportedSessions } from '../subjects/session-export.ts';
export { SessionExport } from '../subjects/session-export.ts';
export type { Subject } from '../subjects/subject.ts';
export { checkSubject } from '../subjects/subject.ts';
export type { RunStep, SubjectContext } from '../subjects/subject-sessions.ts';
