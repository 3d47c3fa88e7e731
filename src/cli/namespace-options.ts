import type { Command } from 'commander';
import { readEmbeddedAddress } from '../redis/embedded/index.ts';
import { type ConnectionOptions, ConnectionOptionsError, parseConnection, readConnectionFile } from '../redis/index.ts';
import type { ServiceOptions } from '../service/index.ts';
import { type Config, checkConfig, readConfig, serviceOptionsOf } from './config/index.ts';
import { UsageError } from './usage-error.ts';

/** The default folder of an embedded Redis and of a generated secret. */
export const DEFAULT_DATA_DIR = '.sessionwise';

/** The flags that select a Redis and a namespace. */
export interface NamespaceFlags {
  readonly redis?: string;
  readonly connection?: string;
  readonly namespace?: string;
  readonly config?: string;
  readonly dataDir: string;
  readonly env?: string;
}

/** Adds `--redis`, `--connection`, `--namespace`, `--config` and `--data-dir` to a command.
 *  `readsEnvironment`: whether the command reads `REDIS_URL`, which its help says then. */
export function addNamespaceOptions(command: Command, readsEnvironment = true): Command {
  return command
    .option(
      '--redis <url>',
      `Redis: redis://host:port, rediss://... (TLS), unix:///path, redis+cluster://h1:p1,h2:p2 or redis+sentinel://h1:p1,h2:p2/master${readsEnvironment ? ' (else REDIS_URL)' : ''}`,
    )
    .option('--connection <file>', 'a JSON file that says where Redis is: {"url"} or {"host","port","password",...}')
    .option('--namespace <ns>', 'the store: its data and channels (default: sw)')
    .option('--config <file>', 'the configuration (JSON)')
    .option('--data-dir <folder>', 'where an embedded Redis and a generated secret live', DEFAULT_DATA_DIR)
    .option('--env <file>', 'set environment variables from this file, except those that are set already')
    .hook('preAction', (_, acting) => readEnvFile(acting.opts<NamespaceFlags>().env));
}

function readEnvFile(file: string | undefined): void {
  if (file === undefined) return;
  try {
    process.loadEnvFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`--env ${file} cannot be read (${code}).`, { cause: error });
  }
}

/** Merges flags, environment and configuration into options. Flags win over the environment (`REDIS_URL`,
 *  `SESSIONWISE_SECRET`), the environment over the configuration. If none of them names a Redis, the embedded Redis of
 *  the data folder is used, if it runs.
 *  @throws UsageError, ConfigError, ConnectionOptionsError */
export function resolveNamespace(
  flags: NamespaceFlags,
  env: NodeJS.ProcessEnv = process.env,
): Omit<ServiceOptions, 'redis'> & { redis: ConnectionOptions } {
  const config = flags.config === undefined ? checkConfig({}) : readConfig(flags.config);
  const secret = env.SESSIONWISE_SECRET;
  return {
    ...serviceOptionsOf(config),
    redis: resolveRedis(flags, env, config),
    dataDir: flags.dataDir,
    ...(secret !== undefined && secret !== '' && { secret }),
    ...(flags.namespace !== undefined && { namespace: flags.namespace }),
  };
}

function resolveRedis(flags: NamespaceFlags, env: NodeJS.ProcessEnv, config: Config): ConnectionOptions {
  if (flags.redis !== undefined && flags.connection !== undefined) {
    throw new UsageError('Give --redis or --connection, not both.');
  }
  if (flags.redis !== undefined) return parseConnection(flags.redis);
  if (flags.connection !== undefined) return readConnectionFile(flags.connection);
  if (env.REDIS_URL) return parseRedisUrl(env.REDIS_URL);
  if (config.redis !== undefined) return parseConnection(config.redis as string | ConnectionOptions);
  const embedded = readEmbeddedAddress(flags.dataDir);
  if (embedded !== undefined) return parseConnection(embedded);
  throw new UsageError(
    `No Redis: give --redis URL or --connection FILE, or set REDIS_URL. (No embedded one runs in ${flags.dataDir}; \`sessionwise demo\` starts one.)`,
  );
}

function parseRedisUrl(url: string): ConnectionOptions {
  try {
    return parseConnection(url);
  } catch (error) {
    if (error instanceof ConnectionOptionsError)
      throw new ConnectionOptionsError(`REDIS_URL: ${error.message}`, { cause: error });
    throw error;
  }
}
