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
  deviceLabel,
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
export type { ExpressSessionOptions, KnowledgeOptions, Sessionwise } from './create-sessionwise.ts';
export { createSessionwise } from './create-sessionwise.ts';
export type { SessionMiddlewareOptions, SessionRequest } from './session-middleware.ts';
export { sessionwise } from './session-middleware.ts';
export { SessionStore } from './session-store.ts';
export type { StoreRequest } from './store-request.ts';
