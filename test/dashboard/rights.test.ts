import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aclUsers } from '../../src/cli/access/acl-users.ts';
import { type ServedDashboard, serveDashboard } from '../../src/dashboard/index.ts';
import { SessionClient } from '../../src/index.ts';
import { COMMAND_NAMES } from '../../src/protocol/index.ts';
import { createConnection, Keys } from '../../src/redis/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { type AclRedis, startAclRedis } from '../support/acl-redis.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { waitUntil } from '../support/wait-until.ts';

/* The dashboard with the rights that `sessionwise acl --dashboard` prints, and with fewer. */

const SECRET = 'a secret of the tests, long enough';
const BROKEN = 'broken';
const DEADLINE_MS = 30_000;

interface Health {
  readonly instances: {
    readonly value?: { readonly id: string; readonly uptimeS: number | null }[];
    readonly trouble?: string;
  };
  readonly partitions: { readonly value?: { readonly owners: (string | null)[] }; readonly trouble?: string };
  readonly deadLetters: { readonly value?: { readonly count: number; readonly letters: { readonly id: string }[] } };
  readonly subjects: { readonly value?: { readonly sampled: number } | null } | null;
  readonly findings: {
    readonly value?: { readonly level: string; readonly about: string; readonly text: string }[];
  } | null;
}

let redis: AclRedis;
let service: Service;
let client: SessionClient;
let dashboard: ServedDashboard;

beforeAll(async () => {
  redis = await startAclRedis({ dashboard: true, transport: 'streams' });
  service = await startService({ redis: redis.as('service'), secret: SECRET, transport: 'streams' });
  client = new SessionClient({ redis: redis.as('app'), secret: SECRET, transport: 'streams' });
  dashboard = await serveDashboard({ redis: redis.as('dashboard'), secret: SECRET, port: 0, log: new RecordingLog() });
});
afterAll(async () => {
  await dashboard?.close();
  await client?.close();
  await service?.stop();
  await redis?.stop();
});
beforeEach(async () => {
  await redis.refusals();
  const { rules } = aclUsers({ dashboard: true, commands: COMMAND_NAMES }).find(({ name }) => name === 'dashboard')!;
  await redis.admin.command('ACL', 'SETUSER', 'dashboard', ...rules);
});

async function health(): Promise<Health> {
  return (await (await fetch(`${dashboard.url}health/data`)).json()) as Health;
}

async function act(action: string, input: object): Promise<unknown> {
  const { csrf } = (await (await fetch(`${dashboard.url}session`)).json()) as { csrf: string };
  const response = await fetch(`${dashboard.url}health/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-sessionwise-csrf': csrf },
    body: JSON.stringify(input),
  });
  return response.json();
}

describe('the user of the dashboard', () => {
  it('may do all that health needs; of the server’s settings it says that it may not look', async () => {
    await redis.admin.command('SET', new Keys('sw').subject(BROKEN), 'no record');
    await client.request('pageview', 'visitor', '/p');
    for (const page of ['/1', '/2']) await client.publish('pageview', BROKEN, page);
    await waitUntil(
      'all parts are there',
      async () => {
        const { instances, deadLetters, subjects, findings } = await health();
        const isTold = instances.value?.some(({ uptimeS }) => uptimeS !== null);
        return isTold === true && deadLetters.value?.letters.length === 2 && subjects !== null && findings !== null;
      },
      DEADLINE_MS,
    );
    const data = await health();
    expect(data.instances.value!.map(({ id }) => id)).toEqual([service.instance]);
    expect(new Set(data.partitions.value!.owners)).toEqual(new Set([service.instance]));
    expect(data.subjects!.value!.sampled).toBeGreaterThan(0);
    expect(
      data.findings!.value!.filter(({ text }) => text.includes('may not be read')).map(({ level }) => level),
    ).toEqual(['note', 'note', 'note']);
    const [letter] = data.deadLetters.value!.letters;
    expect(await act('retry', { id: letter!.id })).toEqual({ done: { retried: 1, skipped: 0 } });
    await waitUntil('it failed again', async () => (await health()).deadLetters.value?.count === 2, DEADLINE_MS);
    expect(await act('drop', { all: true })).toEqual({ done: { dropped: 2 } });
    const refused = (await redis.refusals()).filter((each) => each.startsWith('dashboard '));
    expect([...new Set(refused)].sort()).toEqual(['dashboard acl|getuser', 'dashboard config|get']);
  });

  it('may neither publish, nor read other namespaces, nor change the server', async () => {
    const connection = await createConnection(redis.as('dashboard')).connect();
    for (const command of [
      ['PUBLISH', 'ss:pageview:abc:r1', '/p'],
      ['PUBLISH', 'async:_instances', '{}'],
      ['GET', 'other:meta'],
      ['KEYS', '*'],
      ['FLUSHALL'],
      ['CONFIG', 'SET', 'save', ''],
      ['PSUBSCRIBE', '*'],
    ] as const) {
      await expect(connection.command(...command), command.join(' ')).rejects.toThrow('NOPERM');
    }
    await connection.close();
  });

  it('that may not look at something is told so, and sees the rest', async () => {
    await redis.admin.command('ACL', 'SETUSER', 'dashboard', '-get', '-memory|usage');
    const { partitions, deadLetters } = await health();
    expect(partitions.trouble).toMatch(/may not do that in Redis: NOPERM/);
    expect(deadLetters.value).toMatchObject({ count: expect.any(Number) });
  });
});
