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
export type { SessionPluginOptions } from './session-plugin.ts';
export { sessionwise } from './session-plugin.ts';
export { SessionStore } from './session-store.ts';
