/* Work on sessions that no request asks for: a service does it, or a store. It does not load session data. */

export { Archiver } from '../archive/archiver.ts';
export { Sweeper } from '../expiry/sweeper.ts';
export { isEnded } from '../record/record-header.ts';
