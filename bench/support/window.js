/* window.js: what a stretch of work costs, read before and behind it. */

// `INFO ALL` itself, as it stands on the wire.
const INFO = ['INFO', 'ALL'];
const INFO_BYTES = 23;

/** Reads Redis's counters: microseconds of CPU, bytes in and out, reads from connections, and calls by command, those
 *  within scripts included. */
export async function readRedis(redis) {
  const info = await redis.sendCommand(INFO);
  const number = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)[1]);
  return {
    cpuUs: (number('used_cpu_sys') + number('used_cpu_user')) * 1e6,
    bytesIn: number('total_net_input_bytes'),
    bytesOut: number('total_net_output_bytes'),
    // Counted in bytesOut only from now on.
    answerBytes: Buffer.byteLength(info),
    reads: number('total_reads_processed'),
    calls: Object.fromEntries(
      Array.from(info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm), ([, name, calls]) => [name, Number(calls)]),
    ),
  };
}

/** What lies between two readings, each of `count` operations. Commands that fewer than one operation in 25 has are not
 *  an operation's own (heartbeats, leases) and are left out. */
export function redisBetween(before, after, count) {
  const each = (name) => (after[name] - before[name]) / count;
  const calls = Object.entries(after.calls)
    .map(([name, calls]) => [name, (calls - (before.calls[name] ?? 0)) / count])
    .filter(([name, times]) => name !== 'info' && times >= SELDOM);
  return {
    redisUs: each('cpuUs'),
    redisBytesIn: (after.bytesIn - before.bytesIn - INFO_BYTES) / count,
    redisBytesOut: (after.bytesOut - before.answerBytes - before.bytesOut) / count,
    redisReads: (after.reads - before.reads - 1) / count,
    commands: Object.fromEntries(calls),
  };
}

const SELDOM = 0.04;

/** Runs `once(i)` for `ms`, `inFlight` at once: where one is done, the next begins. `i` goes on from `from`. How many
 *  were done, in how many milliseconds, and the latencies of all. */
export async function runFor({ ms, inFlight, from = 0, once }) {
  const latencies = [];
  let next = from;
  const started = performance.now();
  const end = started + ms;
  const lane = async () => {
    for (let now = performance.now(); now < end; ) {
      await once(next++);
      const done = performance.now();
      latencies.push(done - now);
      now = done;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { count: latencies.length, ms: performance.now() - started, latencies };
}

/** Runs `once(i)` for 0 to `count`, `inFlight` at once. */
export async function runAll({ count, inFlight, once }) {
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < count; i = next++) await once(i);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

/** Operations a second, and their median and 99th percentile in milliseconds. */
export function speedOf({ count, ms, latencies }) {
  const sorted = Float64Array.from(latencies).sort();
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return { perSecond: (count / ms) * 1000, p50Ms: at(0.5), p99Ms: at(0.99) };
}
