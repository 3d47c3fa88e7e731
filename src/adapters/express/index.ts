export { SessionwiseError } from '../../protocol/index.ts';
export { ConnectionOptionsError } from '../../redis/index.ts';
export type {
  ArchivedActivity,
  ArchivedSession,
  ArchiveFunction,
  SessionDataOptions,
  SessionInfo,
  SetIfOutcome,
  UserSession,
} from '../../sessions/index.ts';
export {
  NotSerialisableError,
  SessionDataError,
  SessionGoneError,
  SessionLimitError,
  StoreUnavailableError,
} from '../../sessions/index.ts';
export { deviceLabel } from '../http/device-label.ts';
export type { PageviewMode } from '../http/page-request.ts';
export type { DegradedOperation, SessionStoreOptions } from '../index.ts';
export type { SessionMethods } from './session-methods.ts';
export type { SessionMiddlewareOptions, SessionRequest } from './session-middleware.ts';
export { sessionwise } from './session-middleware.ts';
export type { StoreRequest } from './session-store.ts';
export { SessionStore } from './session-store.ts';
