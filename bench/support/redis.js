import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { startEmbeddedRedis } from '../../dist/redis/embedded/index.js';

/** Starts a Redis for one bench, does `work` with a connection to it, and ends both. `options` are those of the embedded
 *  Redis; it writes no files unless they say so. */
export async function withRedis(work, options = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'sw-bench-'));
  const server = await startEmbeddedRedis({ dataDir, persistence: false, ...options });
  const redis = await openDriver(server.url);
  try {
    return await work({ redis, url: server.url, version: server.version });
  } finally {
    redis.destroy();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Opens a connection of node-redis, tuned: without the AbortSignal that its default timeout creates for each command. */
export async function openDriver(url, options = {}) {
  const driver = createClient({ socket: socketOf(url), commandOptions: { timeout: undefined }, ...options });
  driver.on('error', (error) => console.error(error));
  return driver.connect();
}

/** The `socket` option of node-redis for an address of the embedded Redis. */
export function socketOf(url) {
  const { protocol, pathname, hostname, port } = new URL(url);
  return protocol === 'unix:' ? { path: decodeURIComponent(pathname) } : { host: hostname, port: Number(port) };
}

/** Bytes that Redis uses. */
export async function usedMemory(redis) {
  return Number(/^used_memory:(\d+)/m.exec(await redis.sendCommand(['INFO', 'memory']))[1]);
}
