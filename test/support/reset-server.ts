import type { RedisConnection } from '../../src/redis/index.ts';
import { hasRedis7 } from './test-server.ts';

/** What a test may change of a server beside its data. */
export interface ServerState {
  readonly settings: Readonly<Record<string, string>>;
  /** The lines of ACL LIST. */
  readonly users: readonly string[];
}

/** How a server is set up now, to be given to `resetServer` later. */
export async function stateOf(redis: RedisConnection): Promise<ServerState> {
  const [settings, users] = await Promise.all([
    redis.command<Record<string, string>>('CONFIG', 'GET', '*'),
    redis.command<string[]>('ACL', 'LIST'),
  ]);
  return { settings, users };
}

/** Makes one server as it was: the settings and users of then, no data, no scripts, no statistics. */
export async function resetServer(redis: RedisConnection, { settings, users }: ServerState): Promise<void> {
  const now = await stateOf(redis);
  for (const [name, value] of Object.entries(settings)) {
    if (now.settings[name] !== value) await redis.command('CONFIG', 'SET', name, value);
  }
  for (const line of now.users.filter((line) => !users.includes(line))) {
    const name = line.split(' ')[1]!;
    const [, , ...rules] = users.find((user) => user.startsWith(`user ${name} `))?.split(' ') ?? [];
    await redis.command('ACL', ...(rules.length > 0 ? ['SETUSER', name, 'reset', ...rules] : ['DELUSER', name]));
  }
  await Promise.all([
    redis.command('FLUSHALL'),
    redis.command('SCRIPT', 'FLUSH'),
    ...(hasRedis7 ? [redis.command('FUNCTION', 'FLUSH')] : []),
    redis.command('CONFIG', 'RESETSTAT'),
    redis.command('SLOWLOG', 'RESET'),
    redis.command('ACL', 'LOG', 'RESET'),
  ]);
}
