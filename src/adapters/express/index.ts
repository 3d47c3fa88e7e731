export { SessionwiseError } from '../../protocol/index.ts';
export { ConnectionOptionsError } from '../../redis/index.ts';
export type {
  ArchivedActivity,
  ArchivedSession,
  ArchiveFunction,
  DegradedOperation,
  PageviewMode,
  SessionDataOptions,
  SessionInfo,
  SessionOperations,
  SessionStoreOptions,
  SetIfOutcome,
  UserSession,
} from '../index.ts';
export { deviceLabel } from '../index.ts';
export type { SessionMiddlewareOptions, SessionRequest } from './session-middleware.ts';
export { sessionwise } from './session-middleware.ts';
export type { StoreRequest } from './session-store.ts';
export { SessionStore } from './session-store.ts';
