import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedRedis } from '../dist/redis/embedded/embedded-redis.js';
import { createConnection } from '../dist/redis/index.js';

/** Starts a Redis for one bench, does `work` with a connection to it, and ends both. */
export async function withBenchRedis(work, serverPath = undefined) {
  const dataDir = mkdtempSync(join(tmpdir(), 'sw-bench-'));
  const server = await startEmbeddedRedis({ dataDir, persistence: false, ...(serverPath && { serverPath }) });
  const redis = await createConnection(server.url).connect();
  try {
    return await work({ redis, url: server.url });
  } finally {
    await redis.close();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Microseconds of CPU that Redis has used so far. */
export async function redisCpu(redis) {
  const info = await redis.command('INFO', 'cpu');
  const seconds = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)[1]);
  return (seconds('used_cpu_sys') + seconds('used_cpu_user')) * 1e6;
}

/** Runs `once(i)` `count` times, `inFlight` at once. Returns operations a second, median and 99th percentile in
 *  milliseconds, and microseconds of Redis's CPU each. */
export async function measure(redis, { count, inFlight, once }) {
  const latencies = new Float64Array(count);
  let next = 0;
  const cpuBefore = await redisCpu(redis);
  const started = performance.now();
  const lane = async () => {
    for (let i = next++; i < count; i = next++) {
      const sent = performance.now();
      await once(i);
      latencies[i] = performance.now() - sent;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const seconds = (performance.now() - started) / 1000;
  const cpu = (await redisCpu(redis)) - cpuBefore;
  latencies.sort();
  return {
    'a second': Math.round(count / seconds),
    'p50 ms': Number(latencies[Math.floor(count * 0.5)].toFixed(2)),
    'p99 ms': Number(latencies[Math.floor(count * 0.99)].toFixed(2)),
    'Redis CPU us': Number((cpu / count).toFixed(1)),
  };
}
