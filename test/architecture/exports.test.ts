import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/* What a user may import, by subpath. A name that goes or comes is a change of the public surface, and belongs into the
 * changelog. */

const ROOT = join(import.meta.dirname, '../..');
const { exports: subpaths } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { types: string; default: string }>;
};
const modules = Object.entries(subpaths).flatMap(([subpath, target]) =>
  typeof target === 'string' ? [] : [[subpath, target.default.replace(/^\.\/dist\/(.*)\.js$/, 'src/$1.ts')] as const],
);

/** The names that an index file exports, types marked as such. */
function namesOf(source: string): string[] {
  return [...source.matchAll(/export (type )?\{([^}]*)\}/g)]
    .flatMap(([, type, names]) =>
      names!
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '')
        .map((name) => (type ? `type ${name}` : name)),
    )
    .sort();
}

describe('the exports of the package', () => {
  it('are these subpaths', () => {
    expect(Object.keys(subpaths)).toMatchInlineSnapshot(`
      [
        ".",
        "./express",
        "./fastify",
        "./service",
        "./archive",
        "./protocol",
        "./config.schema.json",
        "./package.json",
      ]
    `);
  });

  it.each(modules)('%s says all that it exports in its index file', async (_, file) => {
    const source = readFileSync(join(ROOT, file), 'utf8');
    expect(source).not.toMatch(/export (\*|default|const|function|class)/);
    const values = namesOf(source).filter((name) => !name.startsWith('type '));
    const loaded = await import(/* @vite-ignore */ join(ROOT, file));
    expect(Object.keys(loaded).sort()).toEqual(values);
  });

  it('are these names', () => {
    const names = modules.map(([subpath, file]) => [subpath, namesOf(readFileSync(join(ROOT, file), 'utf8'))]);
    expect(Object.fromEntries(names)).toMatchInlineSnapshot(`
      {
        ".": [
          "ConnectionOptionsError",
          "NotKeptError",
          "NotSerialisableError",
          "SessionClient",
          "SessionData",
          "SessionDataError",
          "SessionGoneError",
          "SessionLimitError",
          "SessionwiseError",
          "StoreUnavailableError",
          "createToken",
          "sessionOf",
          "type AnalyticsReply",
          "type ArchiveFunction",
          "type ArchivedActivity",
          "type ArchivedSession",
          "type ClientCounters",
          "type CommandMap",
          "type CommandName",
          "type ConnectionOptions",
          "type Degraded",
          "type DegradedReason",
          "type EndReason",
          "type ErrorCode",
          "type GroupQuery",
          "type LoadedSession",
          "type NoAnswerReason",
          "type Notification",
          "type Outcome",
          "type Overlap",
          "type PageviewPayload",
          "type PageviewReply",
          "type Route",
          "type SessionClientOptions",
          "type SessionDataOptions",
          "type SessionHandle",
          "type SessionInfo",
          "type SessionReference",
          "type SessionTransport",
          "type SetIfOutcome",
          "type Suggestion",
          "type TransportChoice",
          "type UserSession",
        ],
        "./archive": [
          "ArchiveDriverMissingError",
          "ArchiveTableError",
          "SessionwiseError",
          "postgresArchive",
          "type PostgresArchive",
          "type PostgresArchiveOptions",
          "type PostgresPool",
          "unescapeText",
        ],
        "./express": [
          "ConnectionOptionsError",
          "NotSerialisableError",
          "SessionDataError",
          "SessionGoneError",
          "SessionLimitError",
          "SessionStore",
          "SessionwiseError",
          "StoreUnavailableError",
          "deviceLabel",
          "sessionwise",
          "type ArchiveFunction",
          "type ArchivedActivity",
          "type ArchivedSession",
          "type DegradedOperation",
          "type PageviewMode",
          "type SessionDataOptions",
          "type SessionInfo",
          "type SessionMethods",
          "type SessionMiddlewareOptions",
          "type SessionRequest",
          "type SessionStoreOptions",
          "type SetIfOutcome",
          "type StoreRequest",
          "type UserSession",
        ],
        "./fastify": [
          "ConnectionOptionsError",
          "NotSerialisableError",
          "SessionDataError",
          "SessionGoneError",
          "SessionLimitError",
          "SessionStore",
          "SessionwiseError",
          "StoreUnavailableError",
          "sessionwise",
          "type ArchiveFunction",
          "type ArchivedActivity",
          "type ArchivedSession",
          "type DegradedOperation",
          "type SessionDataOptions",
          "type SessionInfo",
          "type SessionPluginOptions",
          "type SessionStoreOptions",
          "type SetIfOutcome",
          "type UserSession",
        ],
        "./protocol": [
          "CANONICAL_COMMANDS",
          "COMMANDS",
          "COMMAND_NAMES",
          "DEFAULT_NAMESPACE",
          "EVERY_SESSION",
          "HEARTBEAT_INTERVAL_MS",
          "HEARTBEAT_TTL_MS",
          "MAX_ITEMS",
          "MAX_ITEM_BYTES",
          "MAX_PAYLOAD_BYTES",
          "MalformedReplyError",
          "ProtocolError",
          "REPLY_TTL_MS",
          "SessionwiseError",
          "UnknownCommandError",
          "canonicalCommand",
          "checkNamespace",
          "createToken",
          "decodeFreedPartitions",
          "decodeHeartbeat",
          "decodeReply",
          "encodeErrorReply",
          "encodeFreedPartitions",
          "encodeHeartbeat",
          "encodePayload",
          "encodeReply",
          "heartbeatChannel",
          "inboxChannel",
          "inboxMessage",
          "isCommandName",
          "isErrorCode",
          "isKnownCommand",
          "isOwnToken",
          "isPageItem",
          "isSession",
          "isWriting",
          "mustKeep",
          "normalizeItem",
          "parseInboxMessage",
          "parseRequestId",
          "parseSessionGlob",
          "parseTopic",
          "replyKey",
          "secretOf",
          "sessionOf",
          "topicChannel",
          "topicPattern",
          "type AnalyticsReply",
          "type CanonicalCommand",
          "type CommandMap",
          "type CommandName",
          "type ErrorCode",
          "type FreedPartitions",
          "type GroupQuery",
          "type Heartbeat",
          "type Notification",
          "type PageviewPayload",
          "type PageviewReply",
          "type ReplyRoute",
          "type SessionGlob",
          "type Suggestion",
          "type Topic",
          "wirePrefix",
        ],
        "./service": [
          "ConnectionOptionsError",
          "HttpAddressError",
          "MetaMismatchError",
          "NamespaceUnknownError",
          "RedisTooOldError",
          "RedisUnavailableError",
          "SecretMissingError",
          "SessionwiseError",
          "openNamespace",
          "silentLog",
          "startService",
          "type ArchiveFunction",
          "type ArchivedActivity",
          "type ArchivedSession",
          "type Combo",
          "type HttpAddress",
          "type Log",
          "type Namespace",
          "type NamespaceOptions",
          "type Service",
          "type ServiceOptions",
          "type SessionEndOptions",
        ],
      }
    `);
  });
});
