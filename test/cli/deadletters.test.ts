import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { createConnection, Keys, partitionOf, type RedisConnection } from '../../src/redis/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { metricOf } from '../support/metric-of.ts';
import { runCli } from '../support/run-cli.ts';
import { startTestRedis, type TestRedis } from '../support/test-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* A session whose seen items are no set and no filter: views of it break half-way, and nothing else does. */

const SECRET = 'a secret of the tests, long enough';
const BROKEN = 'broken';
const keys = new Keys('sw');

let redis: TestRedis;
let admin: RedisConnection;
let service: Service;
let client: SessionClient;

interface Listed {
  id: string;
  command: string;
  session: string;
  payload?: string;
  reason: string;
}

const cli = (...args: string[]) =>
  runCli(['deadletters', ...args, '--redis', redis.url], { env: { SESSIONWISE_SECRET: SECRET } });

async function list(): Promise<Listed[]> {
  const { code, stdout, stderr } = await cli('list', '--json');
  expect([code, stderr]).toEqual([0, '']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Listed);
}

/** Views pages of the broken session, one after another, and waits until each was given up. */
async function break_(...pages: string[]): Promise<void> {
  await admin.command('HSET', keys.seenItems(BROKEN, 'page'), 'neither', 'set nor filter');
  const stream = keys.deadLetters(partitionOf(BROKEN));
  for (const page of pages) {
    const before = await admin.command<number>('XLEN', stream);
    expect(await client.publish('pageview', BROKEN, page)).toBe(true);
    await waitUntil('it was given up', async () => (await admin.command<number>('XLEN', stream)) === before + 1);
  }
}

beforeAll(async () => {
  redis = await startTestRedis();
  admin = await createConnection(redis.url, 'admin').connect();
  service = await startService({ redis: redis.url, secret: SECRET, transport: 'streams' });
  client = new SessionClient({ redis: redis.url, transport: 'streams', secret: SECRET, deadlineMs: 5_000 });
  expect(await client.ready()).toBe(true);
});
afterAll(async () => {
  await client?.close();
  await service?.stop();
  await admin?.close();
  await redis?.stop();
});

describe('sessionwise deadletters', () => {
  test('says where there are none', async () => {
    expect(await cli('list')).toMatchObject({ code: 0, stdout: 'There are no dead letters.\n', stderr: '' });
    expect(await cli('drop', '--all')).toMatchObject({ code: 0, stdout: 'Dropped 0.\n' });
  });

  test('shows what was given up and why, the newest first, with its payload opened', async () => {
    await break_('/a', '/b', '/c');
    const letters = await list();
    expect(letters.map(({ command, session, payload }) => [command, session, payload])).toEqual([
      ['pageview', BROKEN, '/c'],
      ['pageview', BROKEN, '/b'],
      ['pageview', BROKEN, '/a'],
    ]);
    expect(letters[0]!.reason).toMatch(/WRONGTYPE/);
    const words = (await cli('list', '--limit', '2')).stdout;
    expect(words).toMatch(/^\d+\/\d+-\d+ {2}\d{4}-.*Z {2}pageview broken "\/c"\n {4}.*WRONGTYPE/);
    expect(words).toContain('1 more: give a larger --limit.');
    const raw = JSON.stringify(await admin.command('XRANGE', keys.deadLetters(partitionOf(BROKEN)), '-', '+'));
    expect(raw).not.toContain('"/a"');
    const stranger = await runCli(['deadletters', 'list', '--redis', redis.url], {
      env: { SESSIONWISE_SECRET: 'another secret, also long enough' },
    });
    expect(stranger).toMatchObject({ code: 1, stdout: '' });
    expect(await metricOf(service.metrics.streamRequests, { outcome: 'dead-letter' })).toBe(3);
    const doctor = await runCli(['doctor', '--redis', redis.url]);
    expect(doctor.stdout).toMatch(/streams +3 requests were given up: see sessionwise deadletters list/);
  });

  test('retry has one done again, and it counts; drop forgets one; --all takes the rest', async () => {
    const [c, b, a] = await list();
    await admin.command('UNLINK', keys.seenItems(BROKEN, 'page'), keys.facts(BROKEN));
    expect(await cli('retry', a!.id)).toMatchObject({ code: 0, stdout: 'Put back 1.\n' });
    await waitUntil(
      'it was done',
      async () => (await client.request('session-analytics', BROKEN, ''))?.totalPages === 1,
    );
    expect(await cli('drop', c!.id)).toMatchObject({ code: 0, stdout: 'Dropped 1.\n' });
    expect((await list()).map(({ payload }) => payload)).toEqual(['/b']);
    expect(await cli('retry', '--all')).toMatchObject({ code: 0, stdout: 'Put back 1.\n' });
    await waitUntil(
      'it was done',
      async () => (await client.request('session-analytics', BROKEN, ''))?.totalPages === 2,
    );
    expect(await list()).toEqual([]);
    expect(b!.payload).toBe('/b');
    expect(client.counters.lateReplies).toBe(0);
  });

  test('refuses in one sentence what cannot be', async () => {
    const wrong: [string[], number, RegExp][] = [
      [['drop', '3/1-1'], 1, /There is no dead letter 3\/1-1/],
      [['retry', '99/1-1'], 2, /"99\/1-1" is no dead letter's id/],
      [['retry'], 2, /Give the ids of dead letters, or --all/],
      [['drop', '3/1-1', '--all'], 2, /Give the ids of dead letters, or --all/],
      [['list', '--limit', '0'], 2, /--limit 0 cannot be used/],
      [['forget'], 2, /forget is none: give deadletters list, retry or drop/],
      [[], 2, /What is to be done is missing: give deadletters list, retry or drop/],
    ];
    for (const [args, code, sentence] of wrong) {
      const hasAction = ['list', 'retry', 'drop'].includes(args[0] ?? '');
      const result = await (hasAction ? cli(...args) : runCli(['deadletters', ...args]));
      expect([result.code, result.stdout]).toEqual([code, '']);
      expect(result.stderr).toMatch(sentence);
      expect(result.stderr.trim().split('\n')).toHaveLength(1);
    }
  });

  test('shows what anybody wrote without doing anything to the terminal', async () => {
    const [csi, turn] = ['\u009b31m', '\u202e'];
    const letter = [
      'c',
      'pageview',
      's',
      `s${csi}`,
      'r',
      '_1',
      'p',
      `/a${csi}${turn}\u007f`,
      'reason',
      `\u001b[2J${csi}`,
    ];
    await admin.command('XADD', keys.deadLetters(63), '*', ...letter);
    for (const flags of [[], ['--json']]) {
      const { code, stdout } = await cli('list', ...flags);
      expect(code).toBe(0);
      expect(stdout).toContain('\\u009b31m');
      expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
    }
    expect((await list()).find(({ session }) => session === `s${csi}`)).toMatchObject({ reason: `\u001b[2J${csi}` });
    const { stderr } = await runCli(['deadletters', `x${csi}`]);
    expect(stderr).toContain('x\\u009b31m is none');
  });
});
