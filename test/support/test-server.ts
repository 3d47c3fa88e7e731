import { execFileSync } from 'node:child_process';
import { findRedisServer, type RedisServer } from '../../src/redis/embedded/find-redis-server.ts';
import { isAtLeast } from '../../src/redis/index.ts';

/* test-server.ts: what the server that tests start can do: `SESSIONWISE_REDIS_SERVER`, else the one of this machine. What
 * it has not is skipped, and said aloud. */

/** The server that tests start. */
export const TEST_SERVER: RedisServer = await findRedisServer();

/** Whether it has what Redis 7.0 brought and every Valkey has: sharded channels, selectors in the rules of a user,
 *  functions, `loading-process-events-interval-bytes`. */
export const hasRedis7: boolean = said(
  TEST_SERVER.flavour === 'valkey' || isAtLeast(TEST_SERVER.version, '7.0'),
  'WHAT REDIS 7.0 BROUGHT IS NOT TESTED',
);

/** Whether it was built with TLS: a server without knows none of its settings, and names the first that it does not know. */
export const hasTls: boolean = said(!/'tls-port "0"'/.test(refusalOf('--tls-port', '0')), 'TLS IS NOT TESTED');

function said(has: boolean, what: string): boolean {
  if (!has) console.warn(`${what}: ${TEST_SERVER.path} (${TEST_SERVER.version}) has it not.`);
  return has;
}

function refusalOf(...settings: string[]): string {
  try {
    return execFileSync(TEST_SERVER.path, [...settings, '--no-such-setting', '1'], { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return `${stdout}${stderr}`;
  }
}
