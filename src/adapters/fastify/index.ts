export type {
  ArchivedActivity,
  ArchivedSession,
  ArchiveFunction,
  SessionDataOptions,
  SessionInfo,
  SetIfOutcome,
  UserSession,
} from '../../sessions/index.ts';
export type { DegradedOperation, SessionStoreOptions } from '../index.ts';
export type { SessionPluginOptions } from './session-plugin.ts';
export { sessionwise } from './session-plugin.ts';
export { SessionStore } from './session-store.ts';
