/* The serving layer's surface. It pulls in the driver and nothing heavy; a test holds that. */
export type {
  ClientCounters,
  Degraded,
  DegradedReason,
  ItemOptions,
  ItemPick,
  Moment,
  NewNotice,
  NoticeChangesGiven,
  NoticeOwner,
  NoticePublisher,
  NoticeRecipients,
  Notices,
  PageOptions,
  SessionClientOptions,
  SessionHandle,
  TransportChoice,
} from './client/index.ts';
export { NotAcknowledgedError, SessionClient } from './client/index.ts';
export type {
  ConsumedEvent,
  ConsumeOptions,
  EventGap,
  NoticeChangedEvent,
  NoticeEvent,
  NoticeMarkedEvent,
  NoticePublishedEvent,
} from './consumers/index.ts';
export { ConsumerRefusedError } from './consumers/index.ts';
export type {
  ActivePayload,
  ActiveReply,
  AnalyticsQuery,
  AnalyticsReply,
  CommandMap,
  CommandName,
  ErrorCode,
  ExplainedRule,
  ExplainedSuggestions,
  Explanation,
  IdentifyReply,
  LiveList,
  LiveReply,
  Notice,
  NoticeCounts,
  NoticeSeverity,
  NoticeStats,
  NoticesQuery,
  NoticesReply,
  Notification,
  PageviewPayload,
  PageviewReply,
  SegmentsQuery,
  Suggestion,
  SuggestionsQuery,
  SurfaceQuery,
  TogetherPart,
  VisitorNotice,
} from './protocol/index.ts';
export { createToken, ProtocolError, personOf, SessionwiseError, sessionOf } from './protocol/index.ts';
export type { ConnectionOptions } from './redis/index.ts';
export { ConnectionOptionsError } from './redis/index.ts';
export type {
  ClusterCondition,
  ClusterPatterns,
  Condition,
  EventCondition,
  HowOften,
  Rules,
  ShowLimit,
  SuggestionRule,
} from './rules/index.ts';
export type {
  ArchivedActivity,
  ArchivedSession,
  ArchiveFunction,
  EndReason,
  ErasedSessions,
  ExportedEvent,
  ExportedSession,
  ExportedSessions,
  LifecycleEvent,
  LoadedSession,
  PlainSessionEvent,
  SessionDataOptions,
  SessionEndedEvent,
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
