export type {
  ArchivedActivity,
  ArchivedSession,
  ArchiveFunction,
  Consent,
  DegradedOperation,
  PageviewMode,
  SessionDataOptions,
  SessionInfo,
  SessionOperations,
  SessionStoreOptions,
  SetIfOutcome,
  UserSession,
  VisitorCookieOptions,
} from '../index.ts';
export {
  ConnectionOptionsError,
  deviceLabel,
  NotKeptError,
  NotSerialisableError,
  SessionDataError,
  SessionGoneError,
  SessionLimitError,
  SessionwiseError,
  StoreUnavailableError,
} from '../index.ts';
export type { SessionMiddlewareOptions, SessionRequest } from './session-middleware.ts';
export { sessionwise } from './session-middleware.ts';
export type { StoreRequest } from './session-store.ts';
export { SessionStore } from './session-store.ts';
