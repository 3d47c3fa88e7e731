/* The serving layer's surface. It pulls in the driver and nothing heavy; a test holds that. */
export type {
  ClientCounters,
  Degraded,
  DegradedReason,
  ItemOptions,
  ItemPick,
  Notices,
  PageOptions,
  SessionClientOptions,
  SessionHandle,
  TransportChoice,
} from './client/index.ts';
export { SessionClient } from './client/index.ts';
export type {
  ActivePayload,
  ActiveReply,
  AnalyticsQuery,
  AnalyticsReply,
  CommandMap,
  CommandName,
  ErrorCode,
  GroupQuery,
  IdentifyReply,
  Notification,
  PageviewPayload,
  PageviewReply,
  Suggestion,
  SurfaceQuery,
  TogetherPart,
} from './protocol/index.ts';
export { createToken, personOf, SessionwiseError, sessionOf } from './protocol/index.ts';
export type { ConnectionOptions } from './redis/index.ts';
export { ConnectionOptionsError } from './redis/index.ts';
export type {
  ArchivedActivity,
  ArchivedSession,
  ArchiveFunction,
  EndReason,
  ErasedSessions,
  ExportedSession,
  ExportedSessions,
  LifecycleEvent,
  LoadedSession,
  SessionDataOptions,
  SessionInfo,
  SessionReference,
  SetIfOutcome,
  Subject,
  UserSession,
} from './sessions/index.ts';
export {
  NotSerialisableError,
  SessionData,
  SessionDataError,
  SessionGoneError,
  SessionLimitError,
  StoreUnavailableError,
} from './sessions/index.ts';
export { NotKeptError } from './transport/client/index.ts';
export type { NoAnswerReason, Outcome, Overlap, Route, SessionTransport } from './transport/index.ts';
