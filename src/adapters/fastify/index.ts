export type {
  ArchivedActivity,
  ArchivedSession,
  ArchiveFunction,
  BrowserScript,
  BrowserScriptOptions,
  Consent,
  ConsumeOptions,
  DegradedOperation,
  EventGap,
  InlineServiceOptions,
  LifecycleEvent,
  LiveOptions,
  LiveScript,
  LiveScriptOptions,
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
  ConsumerRefusedError,
  liveScript,
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
