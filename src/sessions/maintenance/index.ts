/* Work on sessions outside of requests: services, stores and tools do it. It does not load session data. */

export { Archiver } from '../archive/archiver.ts';
export { Lease } from '../expiry/lease.ts';
export { Sweeper } from '../expiry/sweeper.ts';
export { readRecordState } from '../record/record-state.ts';
