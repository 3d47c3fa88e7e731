import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedRedisOptions, startEmbeddedRedis } from '../../src/redis/embedded/embedded-redis.ts';

/** A Redis of one test file, in a folder of its own that is removed at `stop()`. */
export interface TestRedis {
  /** `unix://<socketPath>` */
  readonly url: string;
  readonly socketPath: string;
  readonly dataDir: string;
  /** Another one after `restart()`. */
  readonly pid: number;
  stop(): Promise<void>;
  /** A real signal to the server; with SIGKILL wait for `restart()` or `stop()` to see it gone. */
  kill(signal: NodeJS.Signals): void;
  /** Ends the server, if it has not ended yet, and starts another on the same data and socket path. Without
   *  `persistence` it comes back empty. */
  restart(): Promise<void>;
}

/** How a test's Redis is started. */
export type TestRedisOptions = Pick<EmbeddedRedisOptions, 'persistence' | 'extraArgs' | 'serverPath'>;

/**
 * Default: no persistence. With it, AOF `always`: under `everysec` Redis answers before it has written to the file
 * while a flush of the last second is still under way, and a SIGKILL then loses what it had answered.
 */
export async function startTestRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sw-redis-'));
  const removeFolder = () => rm(dataDir, { recursive: true, force: true });
  const extraArgs = [...(options.persistence ? ['--appendfsync', 'always'] : []), ...(options.extraArgs ?? [])];
  const start = () => startEmbeddedRedis({ persistence: false, ...options, extraArgs, dataDir });
  let redis = await start().catch(async (error: unknown) => {
    await removeFolder();
    throw error;
  });
  const { url, socketPath } = redis;
  if (socketPath !== join(dataDir, 'redis.sock')) {
    await redis.stop();
    await removeFolder();
    throw new Error(`${tmpdir()} is too long a path for a socket that outlives restarts. Set TMPDIR to a shorter one.`);
  }
  return {
    url,
    socketPath,
    dataDir,
    get pid() {
      return redis.pid;
    },
    kill: (signal) => redis.kill(signal),
    async restart() {
      await redis.stop();
      redis = await start();
    },
    async stop() {
      await redis.stop();
      await removeFolder();
    },
  };
}
