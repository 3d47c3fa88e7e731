export type { ArchivedActivity, ArchivedSession, ArchiveFunction } from './archived-session.ts';
export {
  NotSerialisableError,
  SessionDataError,
  SessionGoneError,
  SessionLimitError,
  StoreUnavailableError,
} from './errors.ts';
export { Sweeper } from './expiry/sweeper.ts';
export { SESSION_DATA_OPTIONS } from './known-options.ts';
export type { SetIfOutcome } from './operations/field-operations.ts';
export type { SessionDataOptions } from './options.ts';
export { LoadedSession } from './record/loaded-session.ts';
export { checkFields, writeField } from './record/session-fields.ts';
export { SessionData } from './session-data.ts';
export type { SessionInfo } from './session-info.ts';
export type { SessionTarget } from './tokens/session-reference.ts';
export type { UserSessionPage } from './users/user-session-pages.ts';
export type { EndReason, UserSession } from './users/user-sessions.ts';
