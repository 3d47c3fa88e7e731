export type {
  ArchivedActivity,
  ArchivedSession,
  ArchiveFunction,
  BrowserScript,
  BrowserScriptOptions,
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
  browserScript,
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
