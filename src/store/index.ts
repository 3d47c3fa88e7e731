export { markInitialised } from './anonymous-session.ts';
export type { ArchivedActivity, ArchivedSession, ArchiveFunction } from './archived-session.ts';
export type { DegradedOperation } from './degraded-operation.ts';
export type { SetIfOutcome } from './field-operations.ts';
export type { HeldSession } from './held-session.ts';
export { LoadedSession } from './loaded-session.ts';
export { RequestSessions } from './request-sessions.ts';
export { SessionData } from './session-data.ts';
export type { SessionInfo } from './session-info.ts';
export type { SessionStoreEvents } from './session-store-events.ts';
export type { SessionStoreOptions } from './session-store-options.ts';
export type { SessionTarget } from './session-target.ts';
export { settle } from './settle.ts';
export {
  NotSerialisableError,
  SessionDataError,
  SessionGoneError,
  SessionLimitError,
  StoreUnavailableError,
} from './store-errors.ts';
export type { SessionDataOptions } from './store-options.ts';
export { Sweeper } from './sweeper.ts';
export type { UserSessionPage } from './user-session-pages.ts';
export type { EndReason, UserSession } from './user-sessions.ts';
