import { setTimeout as sleep } from 'node:timers/promises';
import { redisCpu } from './bench-redis.js';

/** Runs `once(i)` for 0 to `count`, `inFlight` at once: where one is done, the next begins. With `everyMs` that many
 *  begin together each so many milliseconds, or as soon after as those before are done. */
export async function runLanes({ count, inFlight, everyMs, once }) {
  let next = 0;
  if (everyMs !== undefined) {
    const started = performance.now();
    for (let burst = 1; next < count; burst += 1) {
      const some = Math.min(inFlight, count - next);
      await Promise.all(Array.from({ length: some }, () => once(next++)));
      await sleep(Math.max(0, started + burst * everyMs - performance.now()));
    }
    return;
  }
  const lane = async () => {
    for (let i = next++; i < count; i = next++) await once(i);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

/** What `work` costs: microseconds of CPU of Redis and of this process, milliseconds, how often Redis read from a
 *  connection, and how often it did each command, those of scripts included. The INFO around it cost Redis some 100 us
 *  together. */
export async function measureWindow(redis, work) {
  const callsBefore = await callsOf(redis);
  const readsBefore = await readsOf(redis);
  const redisBefore = await redisCpu(redis);
  const ownBefore = process.cpuUsage();
  const started = performance.now();
  await work();
  const ms = performance.now() - started;
  const own = process.cpuUsage(ownBefore);
  const redisUs = (await redisCpu(redis)) - redisBefore;
  // Three are ours: the INFO of CPU before and after, and this one.
  const reads = (await readsOf(redis)) - readsBefore - 3;
  const calls = Object.entries(await callsOf(redis))
    .map(([name, after]) => [name, after - (callsBefore[name] ?? 0)])
    .filter(([name, times]) => times > 0 && name !== 'info');
  return { redisUs, clientUs: own.user + own.system, ms, reads, calls: Object.fromEntries(calls) };
}

/** Windows of the same kind as one. */
export function sumWindows(windows) {
  const sum = { redisUs: 0, clientUs: 0, ms: 0, reads: 0, calls: {} };
  for (const { redisUs, clientUs, ms, reads, calls } of windows) {
    sum.redisUs += redisUs;
    sum.clientUs += clientUs;
    sum.ms += ms;
    sum.reads += reads;
    for (const [name, times] of Object.entries(calls)) sum.calls[name] = (sum.calls[name] ?? 0) + times;
  }
  return sum;
}

async function readsOf(redis) {
  return Number(/^total_reads_processed:(\d+)/m.exec(await redis.command('INFO', 'stats'))[1]);
}

async function callsOf(redis) {
  const info = await redis.command('INFO', 'commandstats');
  return Object.fromEntries(
    Array.from(info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm), ([, name, calls]) => [name, Number(calls)]),
  );
}
