import { isAtLeast, type RedisConnection, readCapabilities } from '../../redis/index.ts';

const INTERVAL_MS = 100;
/** Number of readings in a row that must agree. */
const CALM_READINGS = 5;
const CALM_BYTES = 256;
const LONGEST_MS = 5_000;

/** Reads Redis's `used_memory` in bytes, of all masters in a Cluster, once it no longer changes: Redis finishes moving
 *  its key table only after the last command. Subtracts the buffers of connections (`mem_clients_normal`), which would
 *  outweigh the sessions of a small log, and the memory of Lua, which Redis counts from 7.4 on (Valkey does not) and
 *  which varies by 100 KB. Null if Redis does not report it. */
export async function settledMemory(redis: RedisConnection, signal?: AbortSignal): Promise<number | null> {
  try {
    // A precaution: pages that the allocator holds back are not part of used_memory.
    await Promise.all(redis.masters().map((master) => master.command('MEMORY', 'PURGE'))).catch(() => undefined);
    const { flavour, version } = await readCapabilities(redis);
    const countsLua = flavour === 'redis' && isAtLeast(version, '7.4');
    const readings: number[] = [];
    const end = performance.now() + LONGEST_MS;
    while (performance.now() < end && !signal?.aborted) {
      const used = await Promise.all(redis.masters().map((master) => usedMemory(master, countsLua)));
      readings.push(used.reduce((sum, bytes) => sum + bytes, 0));
      const last = readings.slice(-CALM_READINGS);
      if (last.length === CALM_READINGS && Math.max(...last) - Math.min(...last) <= CALM_BYTES) break;
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
    return Math.min(...readings.slice(-CALM_READINGS));
  } catch {
    return null;
  }
}

async function usedMemory(redis: RedisConnection, countsLua: boolean): Promise<number> {
  const info = await redis.command<string>('INFO', 'memory');
  const field = (name: string): number | undefined => {
    const value = new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1];
    return value === undefined ? undefined : Number(value);
  };
  const used = field('used_memory');
  if (used === undefined) throw new Error('no used_memory');
  return used - (field('mem_clients_normal') ?? 0) - (countsLua ? (field('used_memory_vm_total') ?? 0) : 0);
}
