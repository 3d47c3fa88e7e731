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
export type { DegradedOperation, SessionStoreOptions } from '../index.ts';
export type { SessionPluginOptions } from './session-plugin.ts';
export { sessionwise } from './session-plugin.ts';
export { SessionStore } from './session-store.ts';
