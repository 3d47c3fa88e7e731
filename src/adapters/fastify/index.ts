export type {
  ArchivedActivity,
  ArchivedSession,
  ArchiveFunction,
  BrowserScript,
  BrowserScriptOptions,
  Consent,
  DegradedOperation,
  InlineServiceOptions,
  PageviewMode,
  SessionDataOptions,
  SessionInfo,
  SessionOperations,
  SessionStoreOptions,
  SessionwiseOptions,
  SetIfOutcome,
  UserSession,
  VisitorCookieOptions,
} from '../index.ts';
export {
  browserScript,
  ConnectionOptionsError,
  NotKeptError,
  NotSerialisableError,
  PeerMissingError,
  SessionDataError,
  SessionGoneError,
  SessionLimitError,
  SessionwiseError,
  StoreUnavailableError,
} from '../index.ts';
export type { FastifySessionOptions, KnowledgeOptions, Sessionwise } from './create-sessionwise.ts';
export { createSessionwise } from './create-sessionwise.ts';
export type { SessionPluginOptions } from './session-plugin.ts';
export { sessionwise } from './session-plugin.ts';
export { SessionStore } from './session-store.ts';
