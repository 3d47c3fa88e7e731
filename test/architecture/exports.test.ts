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
        "./service",
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
          "SessionClient",
          "createToken",
          "sessionOf",
          "type AnalyticsReply",
          "type ClientCounters",
          "type CommandMap",
          "type CommandName",
          "type ConnectionOptions",
          "type Degraded",
          "type DegradedReason",
          "type ErrorCode",
          "type GroupQuery",
          "type Notification",
          "type Overlap",
          "type PageviewPayload",
          "type PageviewReply",
          "type SessionClientOptions",
          "type SessionHandle",
          "type Suggestion",
        ],
        "./express": [
          "sessionwise",
          "tokenOf",
          "type PageviewMode",
          "type SessionMiddlewareOptions",
          "type SessionRequest",
        ],
        "./protocol": [
          "DEFAULT_NAMESPACE",
          "EVERY_SESSION",
          "HEARTBEAT_INTERVAL_MS",
          "HEARTBEAT_TTL_MS",
          "MAX_ITEMS",
          "MAX_ITEM_BYTES",
          "MAX_PAYLOAD_BYTES",
          "ProtocolError",
          "REPLY_TTL_MS",
          "checkNamespace",
          "createToken",
          "decodeHeartbeat",
          "decodeReply",
          "encodeErrorReply",
          "encodeHeartbeat",
          "encodePayload",
          "encodeReply",
          "heartbeatChannel",
          "inboxChannel",
          "inboxMessage",
          "isCommandName",
          "isErrorCode",
          "isPageItem",
          "isSession",
          "isWriting",
          "normalizeItem",
          "parseInboxMessage",
          "parseRequestId",
          "parseSessionGlob",
          "parseTopic",
          "replyKey",
          "sessionOf",
          "topicChannel",
          "topicPattern",
          "type AnalyticsReply",
          "type CommandMap",
          "type CommandName",
          "type ErrorCode",
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
          "type Combo",
          "type HttpAddress",
          "type Log",
          "type Namespace",
          "type NamespaceOptions",
          "type Service",
          "type ServiceOptions",
        ],
      }
    `);
  });
});
