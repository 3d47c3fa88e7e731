export type {
  DegradedOperation,
  SessionDataOptions,
  SessionInfo,
  SessionStoreOptions,
  SetIfOutcome,
  UserSession,
} from '../store/index.ts';
export { deviceLabel } from './device-label.ts';
export type { SessionMethods } from './session-methods.ts';
export type { PageviewMode, SessionMiddlewareOptions, SessionRequest } from './session-middleware.ts';
export { sessionwise, tokenOf } from './session-middleware.ts';
export type { StoreRequest } from './session-store.ts';
export { SessionStore } from './session-store.ts';
