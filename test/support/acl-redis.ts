import { type AclOptions, aclUsers } from '../../src/cli/access/acl-users.ts';
import { COMMAND_NAMES } from '../../src/protocol/index.ts';
import { type ConnectionOptions, createConnection, type RedisConnection } from '../../src/redis/index.ts';
import { startTestRedis } from './test-redis.ts';
import { hasRedis7 } from './test-server.ts';

/** A Redis that knows an administrator and the users of `sessionwise acl`, and nobody else. */
export interface AclRedis {
  readonly admin: RedisConnection;
  /** How a user logs in. */
  as(user: 'app' | 'store' | 'service' | 'dashboard'): ConnectionOptions;
  /** What Redis refused since the last call, as `<user> <command or key>`. */
  refusals(): Promise<string[]>;
  stop(): Promise<void>;
}

/** What all of them log in with. */
export const ACL_PASSWORD = 'of the tests';

/** Makes the users of `sessionwise acl` on one server. */
export async function setUsers(
  send: (...command: string[]) => Promise<unknown>,
  options: Omit<AclOptions, 'commands'>,
): Promise<void> {
  for (const { name, rules } of aclUsers({
    version: hasRedis7 ? '7.0' : '6.2',
    ...options,
    commands: COMMAND_NAMES,
  })) {
    await send('ACL', 'SETUSER', name, 'reset', 'resetchannels', 'on', `>${ACL_PASSWORD}`, ...rules);
  }
}

/** Starts one; the default user is off. */
export async function startAclRedis(options: Omit<AclOptions, 'commands'> = {}): Promise<AclRedis> {
  const server = await startTestRedis();
  const path = server.socketPath;
  const first = await createConnection({ path }).connect();
  await first.command('ACL', 'SETUSER', 'admin', 'on', `>${ACL_PASSWORD}`, '~*', '&*', '+@all');
  await setUsers((...command) => first.command(...command), options);
  const admin = await createConnection({ path, username: 'admin', password: ACL_PASSWORD }).connect();
  await admin.command('ACL', 'SETUSER', 'default', 'off');
  await first.close();
  return {
    admin,
    as: (username) => ({ path, username, password: ACL_PASSWORD }),
    refusals: async () => {
      const entries = await admin.command<{ username: string; object: string }[]>('ACL', 'LOG');
      await admin.command('ACL', 'LOG', 'RESET');
      return entries.map(({ username, object }) => `${username} ${object}`);
    },
    stop: async () => {
      await admin.close();
      await server.stop();
    },
  };
}
