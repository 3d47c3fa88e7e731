import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { startService } from '../../src/service/index.ts';
import { findFaketime } from '../support/find-faketime.ts';
import { startTestRedis } from '../support/test-redis.ts';

/* A group that is seen from now on is joined by the clock of Redis at that moment, which also stamps what is published. The
 * service measures that clock now and then; what it believes in between may be wrong. */

const faketime = findFaketime();
const SECRET = 'a secret of the tests, long enough';
const groups = ['party'];

it.skipIf(faketime === undefined).each([
  ['behind', '+3600\n'],
  ['ahead', '-3600\n'],
])(
  'a late joiner sees what is published from that moment on, where the clock of the service is %s',
  async (_, moved) => {
    const folder = mkdtempSync(join(tmpdir(), 'sw-clock-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [offset, serverPath] = [join(folder, 'offset'), join(folder, 'redis-server')];
    // Debian's Redis allocates by jemalloc, which reads the clock before libfaketime is ready: so by libc.
    const env = `LD_PRELOAD="${faketime} libc.so.6" FAKETIME_TIMESTAMP_FILE=${offset} FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1`;
    writeFileSync(offset, '+0\n');
    writeFileSync(serverPath, `#!/bin/sh\nexec env ${env} redis-server "$@"\n`, { mode: 0o755 });
    const server = await startTestRedis({ serverPath });
    onTestFinished(() => server.stop());
    const service = await startService({ redis: server.url, secret: SECRET });
    onTestFinished(() => service.stop());
    const client = new SessionClient({ redis: server.url, deadlineMs: 5_000 });
    onTestFinished(() => client.close());
    expect(await client.ready()).toBe(true);
    const ids = async (visitor: string): Promise<string[]> => {
      const page = client.session(visitor, { deadlineMs: 5_000 });
      return (await page.notices.list({ groups }))!.notices.map(({ id }) => String(id));
    };
    await client.notices.setGroup('party', { join: 'now' });

    writeFileSync(offset, moved);
    await client.notices.publish({ to: { group: 'party' }, id: 'before', text: 'T' });
    expect(await ids('late')).toEqual([]);
    await client.notices.publish({ to: { group: 'party' }, id: 'after', text: 'T' });
    expect(await ids('late')).toEqual(['after']);
    await client.notices.publish({ to: { group: 'party' }, id: 'last', text: 'T' });
    expect(await ids('late')).toEqual(['last', 'after']);
    expect(await ids('later')).toEqual([]);
  },
);
