export type { Capabilities } from './capabilities.ts';
export { isAtLeast, OLDEST_SERVER, readCapabilities } from './capabilities.ts';
export type { Clock } from './clock.ts';
export { RedisClock } from './clock.ts';
export { createConnection } from './create-connection.ts';
export type { ArgumentKind, DefinedScript, KeyValues, ScriptResult } from './define-script.ts';
export { defineScript } from './define-script.ts';
export { slotOfKey } from './key-slot.ts';
export type { SeenKind } from './keys.ts';
export { Keys } from './keys.ts';
export { forgetLua, keysLua } from './keys-lua.ts';
export type { LuaText } from './lua-text.ts';
export { defineLua, joinLua } from './lua-text.ts';
export type { FilterEngine, Meta } from './meta.ts';
export { claimOrCheckMeta, FORMAT_VERSION, isFormat, readMeta } from './meta.ts';
export { MetaMismatchError } from './meta-mismatch-error.ts';
export type { RedisClient } from './options/borrowed-client.ts';
export type { ConnectionOptions, ServerAddress } from './options/connection-options.ts';
export {
  ConnectionOptionsError,
  describeConnection,
  parseConnection,
  readConnectionFile,
} from './options/connection-options.ts';
export { crc16, hashSlot, PARTITION_TAGS, PARTITIONS, partitionOf } from './partition.ts';
export type { CommandArguments, CommandConnection, MessageListener, RedisConnection } from './redis-connection.ts';
export { RedisNotReadyError } from './redis-not-ready-error.ts';
export { RedisTooOldError } from './redis-too-old-error.ts';
export { RedisUnavailableError } from './redis-unavailable-error.ts';
export type { Apply, ScriptArgument, Step } from './script.ts';
export { makeStep, runStep, Script } from './script.ts';
export { shareConnection } from './shared-connection.ts';
export type { SubjectHeader } from './subject-header.ts';
export {
  FACTS_LENGTH_BYTES,
  hasFlag,
  PACK_SUBJECT_HEADER,
  READ_SUBJECT_HEADER,
  readSubjectHeader,
  SUBJECT_FLAGS,
  SUBJECT_HEADER_BYTES,
  SUBJECT_TOMBSTONE,
  WINDOW_MINUTES,
  writeSubjectHeader,
} from './subject-header.ts';
export { isTransient } from './transient-error.ts';
export { isUnreadable } from './unreadable.ts';
