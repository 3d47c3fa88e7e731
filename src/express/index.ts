export { deviceLabel } from './device-label.ts';
export type { SessionInfo, SessionMethods } from './session-methods.ts';
export type { PageviewMode, SessionMiddlewareOptions, SessionRequest } from './session-middleware.ts';
export { sessionwise, tokenOf } from './session-middleware.ts';
export type { DegradedOperation, SessionStoreOptions, StoreRequest } from './session-store.ts';
export { SessionStore } from './session-store.ts';
