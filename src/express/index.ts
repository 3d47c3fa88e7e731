export { deviceLabel } from '../http/device-label.ts';
export type { PageviewMode } from '../http/page-request.ts';
export type {
  ArchivedActivity,
  ArchivedSession,
  ArchiveFunction,
  DegradedOperation,
  SessionDataOptions,
  SessionInfo,
  SessionStoreOptions,
  SetIfOutcome,
  UserSession,
} from '../store/index.ts';
export type { SessionMethods } from './session-methods.ts';
export type { SessionMiddlewareOptions, SessionRequest } from './session-middleware.ts';
export { sessionwise } from './session-middleware.ts';
export type { StoreRequest } from './session-store.ts';
export { SessionStore } from './session-store.ts';
