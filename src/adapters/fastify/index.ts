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
export type { SessionPluginOptions } from './session-plugin.ts';
export { sessionwise } from './session-plugin.ts';
export { SessionStore } from './session-store.ts';
