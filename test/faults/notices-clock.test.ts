import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { findFaketime } from '../support/find-faketime.ts';
import { startTestRedis } from '../support/test-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { endChildren, startChild } from './child.ts';
import { SECRET } from './streams-stage.ts';

/* Notices begin and end by the clock of Redis, whatever the clock of a service says, and none is hidden because one of the two
 * was set. */

const faketime = findFaketime();
const HOUR_MS = 3_600_000;
/** After it a service has measured the clock of Redis anew. */
const MEASURED_MS = 12_000;
const groups = ['news', 'team'];

afterEach(endChildren);

async function openClient(redis: string): Promise<SessionClient> {
  const client = new SessionClient({ redis, deadlineMs: 20_000 });
  onTestFinished(() => client.close());
  expect(await client.ready(20_000)).toBe(true);
  await waitUntil('it is served', async () => (await unreadOf(client)) !== undefined);
  return client;
}

const startService = (redis: string, env: Record<string, string> = {}): Promise<unknown> =>
  startChild('notices/notices-service.js', [redis, SECRET, 'channels', '?*'], env);
const unreadOf = async (client: SessionClient, session = 'reader'): Promise<string[] | undefined> =>
  (await client.session(session).notices.list({ groups }))?.notices.map(({ id }) => String(id));

describe.skipIf(faketime === undefined)('notices of a service whose clock differs from that of Redis', () => {
  it.each(['+1h', '-1h'])('begin and end as Redis says (%s)', { timeout: 60_000 }, async (offset) => {
    const server = await startTestRedis();
    onTestFinished(() => server.stop());
    await startService(server.url, { LD_PRELOAD: faketime!, FAKETIME: offset, DONT_FAKE_MONOTONIC: '1' });
    const client = await openClient(server.url);
    const publish = (id: string, times = {}): Promise<{ at: number }> =>
      client.notices.publish({ to: { group: 'news' }, id, text: 'T', ...times });
    const { at } = await publish('now');
    // The clock of Redis is that of this process.
    expect(Math.abs(at - Date.now())).toBeLessThan(10_000);
    expect(await unreadOf(client)).toEqual(['now']);
    const now = Date.now();
    await publish('later', { publishAt: now + HOUR_MS / 2 });
    await publish('soon', { publishAt: now + 4_000, expiresAt: now + 8_000 });
    await client.notices.publish({ to: { session: 'reader' }, id: 'own', text: 'T', expiresAt: now + HOUR_MS / 2 });
    expect(await unreadOf(client)).toEqual(['own', 'now']);
    await waitUntil('it begins', async () => (await unreadOf(client))?.includes('soon') === true);
    expect(Date.now() - now).toBeGreaterThan(3_000);
    await waitUntil('it ends', async () => (await unreadOf(client))?.includes('soon') === false);
    expect(Date.now() - now).toBeGreaterThan(7_000);
    expect(await unreadOf(client)).toEqual(['own', 'now']);
  });

  it('are not hidden before their end where the clock of Redis is set back', { timeout: 90_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sw-clock-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [offset, serverPath] = [join(folder, 'offset'), join(folder, 'redis-server')];
    // Debian's Redis allocates by jemalloc, which reads the clock before libfaketime is ready: so by libc.
    const env = `LD_PRELOAD="${faketime} libc.so.6" FAKETIME_TIMESTAMP_FILE=${offset} FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1`;
    writeFileSync(offset, '+3600\n');
    writeFileSync(serverPath, `#!/bin/sh\nexec env ${env} redis-server "$@"\n`, { mode: 0o755 });
    const server = await startTestRedis({ serverPath });
    onTestFinished(() => server.stop());
    await startService(server.url);
    const client = await openClient(server.url);
    // An hour ahead: a list is read then, and a notice is published to the reader alone.
    await client.notices.publish({ to: { group: 'team' }, id: 'of team', text: 'T' });
    await client.notices.publish({ to: { session: 'reader' }, id: 'own', text: 'T' });
    expect((await unreadOf(client))!.sort()).toEqual(['of team', 'own']);
    writeFileSync(offset, '+0\n');
    const expiresAt = Date.now() + HOUR_MS / 2;
    await client.notices.publish({ to: { group: 'news' }, id: 'for half an hour', text: 'T', expiresAt });
    await sleep(MEASURED_MS);
    for (const session of ['reader', 'stranger']) {
      expect(await unreadOf(client, session), session).toContain('for half an hour');
    }
  });
});
