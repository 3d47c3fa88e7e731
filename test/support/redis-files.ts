import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UsedRedis } from './use-redis.ts';
import { waitUntil } from './wait-until.ts';

/* redis-files.ts: what a Redis with persistence leaves on the disk. Bytes are Latin-1 characters. */

/** Reads those of its files whose paths match.
 *  @throws Error where there is none. */
export function filesOf({ dataDir }: Pick<UsedRedis, 'dataDir'>, pattern: RegExp): string {
  const folder = join(dataDir, 'redis');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => pattern.test(name));
  if (names.length === 0) throw new Error(`Redis has no file that matches ${pattern}.`);
  return names.map((name) => readFileSync(join(folder, name), 'latin1')).join('\n');
}

/** Reads a snapshot of now, and the append-only file as it was appended. */
export async function allFilesOf(server: Pick<UsedRedis, 'redis' | 'dataDir'>): Promise<string> {
  await server.redis.command('SAVE');
  return [/\.rdb$/, /\.aof$/].map((pattern) => filesOf(server, pattern)).join('\n');
}

/** Has the append-only file written anew. */
export async function rewriteAppendOnlyFile({ redis }: Pick<UsedRedis, 'redis'>): Promise<void> {
  await redis.command('BGREWRITEAOF');
  await waitUntil('the AOF is rewritten', async () => {
    const info = await redis.command<string>('INFO', 'persistence');
    return ['aof_rewrite_in_progress:0', 'aof_rewrite_scheduled:0'].every((line) => info.includes(line));
  });
}
