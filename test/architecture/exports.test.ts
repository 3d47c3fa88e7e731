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
        "./adapter",
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
          "type RedisWay",
          "type SessionClientOptions",
          "type SessionDataOptions",
          "type SessionHandle",
          "type SessionTarget",
          "type SessionTransport",
          "type SetIfOutcome",
          "type Suggestion",
          "type TransportChoice",
          "type UserSession",
        ],
        "./adapter": [
          "ConnectionOptionsError",
          "HandleAttacher",
          "NotSerialisableError",
          "RequestSessions",
          "RequestStore",
          "SessionDataError",
          "SessionGoneError",
          "SessionLimitError",
          "StoreUnavailableError",
          "bearerOf",
          "createToken",
          "deviceLabel",
          "holdsNothing",
          "isDocument",
          "markInitialised",
          "sessionMethods",
          "sessionOf",
          "type ArchiveFunction",
          "type ArchivedActivity",
          "type ArchivedSession",
          "type CurrentSession",
          "type DegradedOperation",
          "type HandleOptions",
          "type HandleRequest",
          "type HandleStore",
          "type LoadedSession",
          "type PageRequest",
          "type PageviewMode",
          "type RequestOperations",
          "type SessionClient",
          "type SessionData",
          "type SessionDataOptions",
          "type SessionHandle",
          "type SessionInfo",
          "type SessionOperations",
          "type SessionStates",
          "type SessionStoreEvents",
          "type SessionStoreOptions",
          "type SetIfOutcome",
          "type TokenVerifier",
          "type UserSession",
        ],
        "./archive": [
          "ArchiveDriverMissingError",
          "ArchiveTableError",
          "postgresArchive",
          "type PostgresArchive",
          "type PostgresArchiveOptions",
          "type PostgresPool",
          "unescapeText",
        ],
        "./express": [
          "SessionStore",
          "deviceLabel",
          "sessionwise",
          "type ArchiveFunction",
          "type ArchivedActivity",
          "type ArchivedSession",
          "type DegradedOperation",
          "type PageviewMode",
          "type SessionDataOptions",
          "type SessionInfo",
          "type SessionMiddlewareOptions",
          "type SessionOperations",
          "type SessionRequest",
          "type SessionStoreOptions",
          "type SetIfOutcome",
          "type StoreRequest",
          "type UserSession",
        ],
        "./fastify": [
          "SessionStore",
          "sessionwise",
          "type ArchiveFunction",
          "type ArchivedActivity",
          "type ArchivedSession",
          "type DegradedOperation",
          "type PageviewMode",
          "type SessionDataOptions",
          "type SessionInfo",
          "type SessionOperations",
          "type SessionPluginOptions",
          "type SessionStoreOptions",
          "type SetIfOutcome",
          "type UserSession",
        ],
        "./protocol": [
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
          "UnknownCommandError",
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
          "type CommandMap",
          "type CommandName",
          "type ErrorCode",
          "type FreedPartitions",
          "type GroupQuery",
          "type Heartbeat",
          "type Notification",
          "type PageviewPayload",
          "type PageviewReply",
          "type ReplyWay",
          "type SessionGlob",
          "type Suggestion",
          "type Topic",
          "wirePrefix",
        ],
        "./service": [
          "HttpAddressError",
          "NamespaceUnknownError",
          "SecretMissingError",
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
