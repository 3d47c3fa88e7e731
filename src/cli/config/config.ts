import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { type PostgresArchive, postgresArchive } from '../../archive/index.ts';
import { checkPairNames } from '../../knowledge/index.ts';
import { parseSessionGlob } from '../../protocol/index.ts';
import type { ConnectionOptions, FilterEngine } from '../../redis/index.ts';
import { ConfigError, readJson, readRules } from '../../rule-files/index.ts';
import { type CheckedRules, checkRules, RULES_FIELDS, type Rules } from '../../rules/index.ts';
import type { ServiceOptions } from '../../service/index.ts';
import { REMOTE_TRANSPORT_NAMES, type RemoteTransportName } from '../../transport/index.ts';
import { describeIssues, type JsonSchema } from './describe-issues.ts';
import { parseHttpAddress } from './http-address.ts';
import { rulesShape } from './rules-schema.ts';

/** A checked configuration file, with its rules. */
export interface Config extends ConfigBesideRules, CheckedRules {}

interface ConfigBesideRules {
  $schema?: string | undefined;
  redis?: string | ConnectionOptions | undefined;
  namespace?: string | undefined;
  transport?: RemoteTransportName | undefined;
  sessionglob?: string | undefined;
  secret?: string | undefined;
  http?: string | number | undefined;
  acceptTimes?: boolean | undefined;
  /** The file of rules, as an absolute path. */
  rules?: string | undefined;
  livePairs?: { names: string[] } | undefined;
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
export const configSchema: z.ZodType<ConfigBesideRules & { [Part in keyof Rules]?: Rules[Part] | undefined }> = z
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
    livePairs: z
      .strictObject({
        names: z.array(z.string().min(1)).min(2).max(500).describe('Pages (paths or URLs) and names of marked items.'),
      })
      .optional()
      .describe(
        'Counts how many subjects saw both of two of these names, for `sessionwise discover --live`. Default: off.',
      ),
    rules: z
      .string()
      .min(1)
      .optional()
      .describe('A file of rules, beside this one: clusters, suggestions and segments stand there, and not here.'),
    ...rulesShape,
    exactLimit: z
      .int()
      .min(0)
      .max(512)
      .optional()
      .describe(
        'How many pages, and how many other items, a session keeps exactly; more turn into a filter. Default 512.',
      ),
    filter: z
      .strictObject({
        engine: z
          .enum(['auto', 'portable', 'native'])
          .optional()
          .describe(
            '`native` needs a server with BF.*. `auto`: the engine of the namespace, else `portable`. Default "auto".',
          ),
        errorRate: z
          .number()
          .min(0.0001)
          .max(0.5)
          .optional()
          .describe('How often an unseen item is called seen. Default 0.01.'),
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
        table: identifier.optional().describe('The table that the migration makes. Default "archived_sessions".'),
        schema: identifier.optional().describe('The schema of that table. Default: the first of the search_path.'),
      })
      .optional()
      .describe('Archive for ended sessions. Default: none, they are deleted.'),
  })
  .describe('Configuration of the Sessionwise service.');

/** Reads and checks a configuration file.
 *  @throws ConfigError */
export function readConfig(file: string): Config {
  return checkConfig(readJson(file, 'The configuration'), file, dirname(file));
}

/** Checks a configuration, and reads its file of rules. `folder`: where that is looked for.
 *  @throws ConfigError that names the path of each wrong value. */
export function checkConfig(value: unknown, source = 'the configuration', folder = '.'): Config {
  const [rules, others] = partRules(value);
  const checked = configSchema.safeParse(others, { reportInput: true });
  const rulesFault = faultOf(() => checkRules(rules));
  const faults = [...(checked.success ? [] : describeIssues(checked.error.issues, jsonSchema())), ...rulesFault];
  if (!checked.success || faults.length > 0) throw new ConfigError(sentenceOf(source, faults));
  const config = checked.data as ConfigBesideRules;
  try {
    if (config.livePairs !== undefined) checkPairNames(config.livePairs.names);
    if (config.sessionglob !== undefined) parseSessionGlob(config.sessionglob);
    if (config.http !== undefined) parseHttpAddress(String(config.http));
  } catch (error) {
    throw new ConfigError(`${source}: ${(error as Error).message}`, { cause: error });
  }
  if (config.rules === undefined) return { ...config, ...checkRules(rules) };
  const [beside] = Object.keys(rules);
  if (beside !== undefined) {
    throw new ConfigError(`${source}: ${beside} cannot stand beside rules: put it into the file ${config.rules}.`);
  }
  const file = resolve(folder, config.rules);
  return { ...config, rules: file, ...readRules(file) };
}

function jsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema;
}

function faultOf(check: () => unknown): string[] {
  try {
    check();
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

function sentenceOf(source: string, faults: readonly string[]): string {
  const text = faults.map((fault, i) => (i < faults.length - 1 ? fault.replace(/\.$/, '') : fault)).join('; ');
  return `${source}: ${text}${/[.?]$/.test(text) ? '' : '.'}`;
}

// Rules are checked apart: what is wrong with a condition is more than its form.
function partRules(value: unknown): [rules: object, others: unknown] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{}, value];
  const fields = Object.entries(value);
  const isRule = ([name, given]: [string, unknown]): boolean =>
    (RULES_FIELDS as readonly string[]).includes(name) && given !== undefined;
  return [Object.fromEntries(fields.filter(isRule)), Object.fromEntries(fields.filter((field) => !isRule(field)))];
}

/** The rules of a configuration. */
export function rulesOf({ clusters, suggestions, segments }: CheckedRules): CheckedRules {
  return { clusters, suggestions, segments };
}

/** Converts a configuration to options of the service. */
export function serviceOptionsOf(config: Config): Omit<ServiceOptions, 'redis'> {
  const { filter = {}, retention = {}, sessions } = config;
  return {
    ...rulesOf(config),
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
    ...(config.livePairs !== undefined && { livePairs: config.livePairs }),
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
