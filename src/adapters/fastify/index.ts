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
  NotKeptError,
  NotSerialisableError,
  SessionDataError,
  SessionGoneError,
  SessionLimitError,
  SessionwiseError,
  StoreUnavailableError,
} from '../index.ts';
export type { SessionPluginOptions } from './session-plugin.ts';
export { sessionwise } from './session-plugin.ts';
export { SessionStore } from './session-store.ts';
