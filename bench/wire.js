// Requests over the channels: inbox replies and pooled BLPOP, at several numbers in flight, through the real client and
// a service in a process of its own.
import { spawn } from 'node:child_process';
import { once as event } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SessionClient } from '../dist/index.js';
import { measure, withBenchRedis } from './bench-redis.js';

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

export async function benchWire({ smoke }) {
  const rows = {};
  await withBenchRedis(async ({ redis, url }) => {
    const service = spawn(process.execPath, [MAIN, 'serve', '--redis', url, '--log-level', 'warn'], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, SESSIONWISE_SECRET: 'the secret of the benchmark' },
    });
    try {
      await event(service, 'message');
      for (const replies of ['inbox', 'list']) {
        for (const inFlight of [1, 32, 128]) {
          const client = new SessionClient({ redis: url, replies, deadlineMs: 2000, blockingConnections: inFlight });
          await client.ready();
          const once = (i) => client.request('pageview', `session${i % 2000}`, `/p${i % 12}`);
          const count = smoke ? 100 : 3000 + 300 * inFlight;
          await measure(redis, { count: Math.ceil(count / 5), inFlight, once });
          rows[`${replies}, ${inFlight} in flight`] = {
            ...(await measure(redis, { count, inFlight, once })),
            degraded: Object.values(client.counters.degraded).reduce((sum, n) => sum + n, 0),
          };
          await client.close();
        }
      }
    } finally {
      const ended = event(service, 'exit');
      service.kill('SIGTERM');
      await ended;
    }
  });
  return rows;
}
