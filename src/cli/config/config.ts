import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type PostgresArchive, postgresArchive } from '../../archive/index.ts';
import { parseSessionGlob } from '../../protocol/index.ts';
import type { ConnectionOptions, FilterEngine } from '../../redis/index.ts';
import type { Combo, ServiceOptions } from '../../service/index.ts';
import { checkCombos } from '../../service/internal/index.ts';
import { REMOTE_TRANSPORT_NAMES, type RemoteTransportName } from '../../transport/index.ts';
import { ConfigError } from './config-error.ts';
import { describeIssues, type JsonSchema } from './describe-issues.ts';
import { parseHttpAddress } from './http-address.ts';

/** A checked configuration file. */
export interface Config {
  $schema?: string | undefined;
  redis?: string | ConnectionOptions | undefined;
  namespace?: string | undefined;
  transport?: RemoteTransportName | undefined;
  sessionglob?: string | undefined;
  secret?: string | undefined;
  http?: string | number | undefined;
  acceptTimes?: boolean | undefined;
  combos: Combo[];
  exactLimit?: number | undefined;
  filter?:
    | { engine?: 'auto' | FilterEngine | undefined; errorRate?: number | undefined; firstCapacity?: number | undefined }
    | undefined;
  retention?: { days?: number | undefined; bounceMinutes?: number | undefined } | undefined;
  sessions?:
    | {
        sweep?: boolean | undefined;
        lifecycleLength?: number | undefined;
        encryptionKeys?: string[] | undefined;
        acceptPlain?: boolean | undefined;
      }
    | undefined;
  archive?: { postgres?: string | undefined; table?: string | undefined; schema?: string | undefined } | undefined;
}

const combo = z
  .strictObject({
    name: z.string().min(1).max(128).describe('Name of the rule, as `combo` takes it.'),
    all: z
      .array(z.string().min(1))
      .min(1)
      .max(50)
      .describe('Items that must all have been seen: paths, URLs or names.'),
    suggest: z.string().min(1).describe('Suggestion when all were seen.'),
    reason: z.string().default('').describe('Reason, in words for the visitor; returned beside `because`.'),
  })
  .describe('A rule over items.');

const tls = z.union([
  z.boolean(),
  z.strictObject({
    ca: z.string().exactOptional(),
    cert: z.string().exactOptional(),
    key: z.string().exactOptional(),
    servername: z.string().exactOptional(),
    rejectUnauthorized: z.boolean().exactOptional(),
  }),
]);

const server = z.strictObject({ host: z.string().min(1), port: z.int().min(1).max(65535).exactOptional() });

const connection = z.strictObject({
  url: z.string().exactOptional(),
  host: z.string().exactOptional(),
  port: z.int().min(1).max(65535).exactOptional(),
  path: z.string().exactOptional(),
  username: z.string().exactOptional(),
  password: z.string().exactOptional(),
  db: z.int().min(0).exactOptional(),
  tls: tls.exactOptional(),
  cluster: z.array(server).min(1).exactOptional().describe('Some nodes of a Redis Cluster. Default port 6379.'),
  sentinels: z.array(server).min(1).exactOptional().describe('Instead of host and port. Default port 26379.'),
  master: z.string().min(1).exactOptional().describe('Name of the master, as the Sentinels know it.'),
  sentinelUsername: z.string().exactOptional().describe("The Sentinels' own login."),
  sentinelPassword: z.string().exactOptional(),
});

const encryptionKey = z
  .string()
  .regex(/^(?:[0-9a-fA-F]{64}|[A-Za-z0-9_+/-]{43}=?)$/, 'give 32 random bytes in base64 or in hex')
  .describe('32 bytes, in base64 or in hex.');

const identifier = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/, 'give a-z, 0-9 and _, at most 63, and no digit first');

/** Schema of the configuration file. `npm run schema` makes the JSON Schema for editors from it. */
export const configSchema: z.ZodType<Config> = z
  .strictObject({
    $schema: z.string().optional().describe('For editors.'),
    redis: z
      .union([z.string(), connection])
      .optional()
      .describe('A URL (redis://, redis+cluster://, redis+sentinel://) or its parts. --redis and --connection win.'),
    namespace: z.string().optional().describe('One store: its data and channels. Default "sw".'),
    transport: z.enum(REMOTE_TRANSPORT_NAMES).optional().describe('Where requests come from. Default "channels".'),
    sessionglob: z
      .string()
      .optional()
      .describe('Over channels, the sessions of this instance: "?*", "ab*" or "[a-m]*". Default "?*".'),
    secret: z
      .string()
      .min(16)
      .optional()
      .describe('The key for items. SESSIONWISE_SECRET wins; keep it out of files that are shared.'),
    http: z
      .union([z.string(), z.int()])
      .optional()
      .describe('[HOST:]PORT for /healthz, /readyz and /metrics. Default host 127.0.0.1.'),
    acceptTimes: z.boolean().optional().describe('Whether "at" in a page view counts. Default false.'),
    combos: z.array(combo).max(1000).default([]).describe('Rules over items, of at most 5,000 items together.'),
    exactLimit: z
      .int()
      .min(0)
      .max(512)
      .optional()
      .describe('The most items of a kind that a session keeps exactly. Default 512.'),
    filter: z
      .strictObject({
        engine: z.enum(['auto', 'portable', 'native']).optional().describe('Default "auto".'),
        errorRate: z.number().min(0.0001).max(0.5).optional().describe('Default 0.01.'),
        firstCapacity: z.int().min(8).max(1_000_000).optional().describe('Items in the first layer. Default 100.'),
      })
      .optional()
      .describe('The seen filter of sessions that have outgrown the exact form.'),
    retention: z
      .strictObject({
        days: z.number().positive().max(3650).optional().describe('After the last view. Default 30.'),
        bounceMinutes: z
          .number()
          .positive()
          .max(525_600)
          .optional()
          .describe('After the first view, until a second. Default 30.'),
      })
      .optional()
      .describe('How long the calculated data of a session is stored.'),
    sessions: z
      .strictObject({
        sweep: z.boolean().optional().describe('Whether this instance ends sessions whose time is over. Default true.'),
        lifecycleLength: z
          .int()
          .min(1)
          .max(100_000_000)
          .optional()
          .describe('Entries that the stream of lifecycle events keeps, about. Default 10,000.'),
        encryptionKeys: z
          .array(encryptionKey)
          .min(1)
          .max(100)
          .optional()
          .describe('The keys of the stores that encrypt, for the archive. SESSIONWISE_SESSION_KEYS wins.'),
        acceptPlain: z
          .boolean()
          .optional()
          .describe('Whether sessions that are not encrypted are archived too, where there are keys. Default false.'),
      })
      .optional()
      .describe('Ending and archiving of sessions.'),
    archive: z
      .strictObject({
        postgres: z
          .string()
          .regex(/^postgres(ql)?:\/\//, 'give postgres://user:password@host:port/database')
          .optional()
          .describe(
            'The database, as a URL. SESSIONWISE_ARCHIVE_POSTGRES wins; keep passwords out of files that are shared.',
          ),
        table: identifier.optional().describe('Default "archived_sessions".'),
        schema: identifier.optional().describe('Default: the first of the search_path.'),
      })
      .optional()
      .describe('Archive for ended sessions. Default: none, they are deleted.'),
  })
  .describe('Configuration of the Sessionwise service.');

/** Reads and checks a configuration file.
 *  @throws ConfigError */
export function readConfig(file: string): Config {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`The configuration ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`, {
      cause: error,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`The configuration ${file} is not JSON: ${describeSyntaxError(error as Error, text)}`);
  }
  return checkConfig(value, file);
}

/** Checks a configuration.
 *  @throws ConfigError that names the path of each wrong value. */
export function checkConfig(value: unknown, source = 'the configuration'): Config {
  const checked = configSchema.safeParse(value, { reportInput: true });
  if (!checked.success) {
    const schema = z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema;
    const faults = describeIssues(checked.error.issues, schema).join('; ');
    throw new ConfigError(`${source}: ${faults}${faults.endsWith('?') ? '' : '.'}`);
  }
  const config = checked.data;
  try {
    if (config.sessionglob !== undefined) parseSessionGlob(config.sessionglob);
    if (config.http !== undefined) parseHttpAddress(String(config.http));
  } catch (error) {
    throw new ConfigError(`${source}: ${(error as Error).message}`, { cause: error });
  }
  try {
    return { ...config, combos: checkCombos(config.combos) };
  } catch (error) {
    throw new ConfigError(`${source}: ${(error as Error).message}`, { cause: error });
  }
}

/** Converts a configuration to options of the service. */
export function serviceOptionsOf(config: Config): Omit<ServiceOptions, 'redis'> {
  const { filter = {}, retention = {}, sessions } = config;
  return {
    combos: config.combos,
    seen: {
      ...(filter.engine !== undefined && { engine: filter.engine }),
      ...(filter.errorRate !== undefined && { errorRate: filter.errorRate }),
      ...(filter.firstCapacity !== undefined && { firstCapacity: filter.firstCapacity }),
      ...(config.exactLimit !== undefined && { exactLimit: config.exactLimit }),
    },
    retention: {
      ...(retention.days !== undefined && { seconds: Math.ceil(retention.days * 86_400) }),
      ...(retention.bounceMinutes !== undefined && { bounceSeconds: Math.ceil(retention.bounceMinutes * 60) }),
    },
    ...(config.namespace !== undefined && { namespace: config.namespace }),
    ...(config.transport !== undefined && { transport: config.transport }),
    ...(config.sessionglob !== undefined && { sessionglob: config.sessionglob }),
    ...(config.secret !== undefined && { secret: config.secret }),
    ...(config.acceptTimes !== undefined && { acceptTimes: config.acceptTimes }),
    ...(config.http !== undefined && { http: parseHttpAddress(String(config.http)) }),
    ...(sessions && {
      sessions: {
        ...(sessions.sweep !== undefined && { sweep: sessions.sweep }),
        ...(sessions.lifecycleLength !== undefined && { lifecycleLength: sessions.lifecycleLength }),
        ...(sessions.encryptionKeys && {
          encryption: { keys: sessions.encryptionKeys, ...(sessions.acceptPlain && { acceptPlain: true }) },
        }),
      },
    }),
  };
}

/** Makes the archive that the environment or the configuration names; undefined if neither does. It connects on first
 *  use.
 *  @throws ConfigError */
export function archiveOf(config: Config, env: NodeJS.ProcessEnv): PostgresArchive | undefined {
  const { postgres, table, schema } = config.archive ?? {};
  const connectionString = env.SESSIONWISE_ARCHIVE_POSTGRES || postgres;
  if (connectionString === undefined) {
    if (config.archive === undefined) return undefined;
    throw new ConfigError('archive: no database is named: give archive.postgres, or SESSIONWISE_ARCHIVE_POSTGRES.');
  }
  if (!/^postgres(ql)?:\/\//.test(connectionString)) {
    throw new ConfigError(
      'SESSIONWISE_ARCHIVE_POSTGRES is no address: give postgres://user:password@host:port/database.',
    );
  }
  return postgresArchive({ connectionString, table, schema });
}

/** Reads the encryption keys of the stores from SESSIONWISE_SESSION_KEYS, separated by commas; undefined if it is not
 *  set. */
export function sessionKeysOf(env: NodeJS.ProcessEnv): string[] | undefined {
  const keys = env.SESSIONWISE_SESSION_KEYS?.split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '');
  return keys?.length ? keys : undefined;
}

// Names only line and column: the parser's message quotes the text around the fault, which can be the secret.
function describeSyntaxError(error: Error, text: string): string {
  const at = /position (\d+)/.exec(error.message)?.[1];
  if (at === undefined) return 'it ends too early, or holds an unexpected character.';
  const before = text.slice(0, Number(at)).split('\n');
  return `line ${before.length}, column ${before.at(-1)!.length + 1} cannot be read.`;
}
