import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { startService } from '../../src/service/index.ts';
import { findFaketime } from '../support/find-faketime.ts';
import { metricOf } from '../support/metric-of.ts';
import { startTestRedis } from '../support/test-redis.ts';
import { SECRET } from './streams-stage.ts';

const faketime = findFaketime();

/** After a deadline, and before the clock is measured by the way. */
const LONG_ENOUGH_MS = 4_000;
const DEADLINE_MS = 1_000;

it.skipIf(faketime === undefined)('answers over streams go on when the clock of Redis is set back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sw-clock-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [offset, serverPath] = [join(folder, 'offset'), join(folder, 'redis-server')];
  // Debian's Redis allocates by jemalloc, which reads the clock before libfaketime is ready: so by libc.
  const env = `LD_PRELOAD="${faketime} libc.so.6" FAKETIME_TIMESTAMP_FILE=${offset} FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1`;
  writeFileSync(offset, '+0\n');
  writeFileSync(serverPath, `#!/bin/sh\nexec env ${env} redis-server "$@"\n`, { mode: 0o755 });
  const server = await startTestRedis({ serverPath });
  onTestFinished(() => server.stop());
  const service = await startService({ redis: server.url, secret: SECRET, transport: 'streams' });
  onTestFinished(() => service.stop());
  const client = new SessionClient({ redis: server.url, transport: 'streams', deadlineMs: DEADLINE_MS });
  onTestFinished(() => client.close());
  expect(await client.ready()).toBe(true);
  expect(await client.request('pageview', 'a', '/a')).toMatchObject({ totalPages: 1 });

  writeFileSync(offset, '-3600\n');
  const end = performance.now() + LONG_ENOUGH_MS;
  let asked = 0;
  while (performance.now() < end) {
    asked += 1;
    expect(await client.request('pageview', 'a', '/a')).toMatchObject({ totalPages: asked + 1 });
  }
  expect(asked).toBeGreaterThan(10);
  expect(await metricOf(service.metrics.streamRequests, { outcome: 'unanswered' })).toBe(0);
  expect(client.counters.degraded).toEqual({});
});
