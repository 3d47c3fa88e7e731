export { markInitialised } from './anonymous-session.ts';
export type { CurrentSession } from './current-session.ts';
export type { DegradedOperation } from './degraded-operation.ts';
export { RequestSessions } from './request-sessions.ts';
export type { SessionStoreEvents } from './session-store-events.ts';
export type { SessionStoreOptions } from './session-store-options.ts';
