/* The serving layer's surface. It pulls in the driver and nothing heavy; a test holds that. */
export type { SessionClientOptions } from './client/client-options.ts';
export type { Degraded, DegradedReason } from './client/degraded.ts';

export type { TransportChoice } from './client/open-transport.ts';
export type { ClientCounters } from './client/session-client.ts';
export { SessionClient } from './client/session-client.ts';
export type { SessionHandle } from './client/session-handle.ts';
export type {
  AnalyticsReply,
  CommandMap,
  CommandName,
  ErrorCode,
  GroupQuery,
  Notification,
  PageviewPayload,
  PageviewReply,
  Suggestion,
} from './protocol/index.ts';
export { createToken, SessionwiseError, sessionOf } from './protocol/index.ts';
export type { ConnectionOptions } from './redis/options/connection-options.ts';
export { ConnectionOptionsError } from './redis/options/connection-options.ts';
export type {
  ArchivedActivity,
  ArchivedSession,
  ArchiveFunction,
  EndReason,
  LoadedSession,
  SessionDataOptions,
  SessionInfo,
  SessionReference,
  SetIfOutcome,
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
export { NotKeptError } from './transport/not-kept-error.ts';
export type { Overlap } from './transport/presence.ts';
export type { NoAnswerReason, Outcome, SessionTransport } from './transport/transport.ts';
export type { Route } from './transport/transport-names.ts';
