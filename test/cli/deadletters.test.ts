import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { createConnection, Keys, partitionOf } from '../../src/redis/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { DeadLetters } from '../../src/transport/streams/dead-letters.ts';
import { PayloadSeal } from '../../src/transport/streams/payload-seal.ts';
import { metricOf } from '../support/metric-of.ts';
import { startRedisProxy } from '../support/redis-proxy.ts';
import { runCli } from '../support/run-cli.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* A session with a list in place of its filter of pages: views of it break half-way, behind their write of the record, and
 * nothing else does. */

const SECRET = 'a secret of the tests, long enough';
const BROKEN = 'broken';
const keys = new Keys('sw');

const redis = useRedis({ eachTest: 'kept' });
const { redis: admin } = redis;
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

async function list(...args: string[]): Promise<Listed[]> {
  const { code, stdout, stderr } = await cli('list', '--json', '--payloads', ...args);
  expect([code, stderr]).toEqual([0, '']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Listed);
}

/** Views pages of the broken session, one after another, and waits until each is a dead letter. */
async function break_(...pages: string[]): Promise<void> {
  // From the first view on there is a filter.
  await client.request('pageview', BROKEN, '/first');
  await admin.command('UNLINK', keys.seenFilter(BROKEN, 'page'));
  await admin.command('RPUSH', keys.seenFilter(BROKEN, 'page'), 'no filter');
  const stream = keys.deadLetters(partitionOf(BROKEN));
  for (const page of pages) {
    const before = await admin.command<number>('XLEN', stream);
    expect(await client.publish('pageview', BROKEN, page)).toBe(true);
    await waitUntil('it is a dead letter', async () => (await admin.command<number>('XLEN', stream)) === before + 1);
  }
}

beforeAll(async () => {
  service = await startService({ redis: redis.url, secret: SECRET, transport: 'streams', seen: { exactLimit: 0 } });
  client = new SessionClient({ redis: redis.url, transport: 'streams', secret: SECRET, deadlineMs: 5_000 });
  expect(await client.ready()).toBe(true);
});
afterAll(async () => {
  await client?.close();
  await service?.stop();
});

describe('sessionwise deadletters', () => {
  it('says where there are none', async () => {
    expect(await cli('list')).toMatchObject({ code: 0, stdout: 'There are no dead letters.\n', stderr: '' });
    expect(await cli('drop', '--all')).toMatchObject({ code: 0, stdout: 'Dropped 0.\n' });
  });

  it('lists dead letters with their reasons, the newest first, with their payloads opened', async () => {
    await break_('/a', '/b', '/c');
    const letters = await list();
    expect(letters.map(({ command, session, payload }) => [command, session, payload])).toEqual([
      ['pageview', BROKEN, '/c'],
      ['pageview', BROKEN, '/b'],
      ['pageview', BROKEN, '/a'],
    ]);
    expect(letters[0]!.reason).toMatch(/WRONGTYPE/);
    const words = (await cli('list', '--payloads', '--limit', '2')).stdout;
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
    expect(doctor.stdout).toMatch(/streams +3 dead letters: see sessionwise deadletters list/);
  });

  it('retry has one done again, and it counts; drop forgets one; --all takes the rest', async () => {
    const [c, b, a] = await list();
    await admin.command('UNLINK', ...keys.all(BROKEN));
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

  it('shows no payload unless it is told to, and nothing that acts on a terminal', async () => {
    await break_('/a-private-page');
    for (const args of [['list'], ['list', '--json']]) {
      const { stdout } = await cli(...args);
      expect(stdout).not.toContain('private');
      expect(stdout).toMatch(args.length === 1 ? /pageview broken \(15 bytes\)/ : /"bytes":15/);
    }
    const odd = ['c', 'x', 's', 'a\u009b2J\u202e', 'r', '1', 'p', '\u001b[31m\u{e0001}', 'reason', 'one\ntwo\u0085'];
    const id = await admin.command<string>('XADD', keys.deadLetters(3), '*', ...odd);
    const shown = await cli('list', '--payloads');
    expect(shown.stdout).not.toMatch(/[^\P{C}\n]/u);
    expect(shown.stdout).toContain('one\\u000atwo\\u0085');
    const [letter] = (await list()).filter((each) => each.id === `3/${id}`);
    expect(letter).toMatchObject({
      session: 'a\u009b2J\u202e',
      payload: '\u001b[31m\u{e0001}',
      reason: 'one\ntwo\u0085',
    });
    expect(await cli('drop', '--all')).toMatchObject({ code: 0, stdout: 'Dropped 2.\n' });
  });

  it('retry refuses what holds no request, and --all leaves it and counts it', async () => {
    const dead = keys.deadLetters(partitionOf('abc'));
    const unread = await admin.command<string>(
      'XADD',
      dead,
      '*',
      'id',
      '1-1',
      'reason',
      'too large',
      'bytes',
      '300000000',
    );
    await admin.command(
      'XADD',
      dead,
      '*',
      'c',
      '',
      's',
      '',
      'r',
      '',
      'p',
      '["odd"]',
      'd',
      '0',
      'id',
      '1-2',
      'reason',
      'x',
    );
    await admin.command('XADD', dead, '*', 'c', 'mark-item-seen', 's', 'abc', 'r', '_1', 'p', 'again', 'reason', 'x');
    expect((await cli('list')).stdout).toMatch(/\(no command\) \(300000000 bytes\)\n {4}too large/);
    const refused = await cli('retry', `${partitionOf('abc')}/${unread}`);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/holds no request, so it cannot be done again/);
    const all = await cli('retry', '--all');
    expect(all).toMatchObject({ code: 0, stderr: '' });
    expect(all.stdout).toMatch(/^Put back 1\. 2 hold no request and were left/);
    await waitUntil('it was done', async () => (await client.request('surface', 'abc', ['again']))?.length === 0);
    expect(await cli('drop', '--all')).toMatchObject({ code: 0, stdout: 'Dropped 2.\n' });
  });

  it('--all takes steps and not a round trip for each, bounded in letters and in bytes', async () => {
    const proxy = await startRedisProxy(redis.socketPath);
    const own = await createConnection(proxy.url, 'letters').connect();
    try {
      const letters = new DeadLetters(own, new Keys('other'), new PayloadSeal(SECRET, 'other'));
      const fill = (partition: number, count: number, bytes: number): Promise<unknown> =>
        admin.command(
          'EVAL',
          `for i = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'c', 'x', 's', 's' .. i, 'r', '_' .. i, 'p', string.rep('p', ARGV[2]), 'reason', '') end`,
          '1',
          new Keys('other').deadLetters(partition),
          String(count),
          String(bytes),
        );
      for (let partition = 0; partition < 64; partition += 1) await fill(partition, 250, 10);
      await fill(7, 5, 5_000_000);
      expect(await letters.count()).toBe(64 * 250 + 5);
      const shown = await letters.list(20);
      expect(shown).toHaveLength(20);
      expect(shown.slice(0, 5).map(({ payload, bytes }) => [payload, bytes])).toEqual(
        Array.from({ length: 5 }, () => [undefined, 5_000_000]),
      );
      proxy.reset();
      expect(await letters.retryAll()).toEqual({ retried: 64 * 250 + 5, skipped: 0 });
      // 3 steps for 250 letters, the last of which finds the end; the large ones are a step each.
      expect(proxy.commands('letters').length).toBeLessThanOrEqual(64 * 4 + 5);
      expect(await letters.count()).toBe(0);
      expect(await admin.command('XLEN', new Keys('other').requests(9))).toBe(250);
      for (let partition = 0; partition < 64; partition += 1) await fill(partition, 250, 10);
      proxy.reset();
      expect(await letters.dropAll()).toBe(64 * 250);
      expect(proxy.commands('letters')).toHaveLength(64);
      expect(await letters.dropAll()).toBe(0);
    } finally {
      await own.close();
      await proxy.close();
    }
  });

  it('refuses in one sentence what cannot be', async () => {
    const wrong: [string[], number, RegExp][] = [
      [['drop', '3/1-1'], 1, /There is no dead letter 3\/1-1/],
      [['retry', '99/1-1'], 2, /"99\/1-1" is no dead letter's id/],
      [['retry'], 2, /Give the ids of dead letters, or --all/],
      [['drop', '3/1-1', '--all'], 2, /Give the ids of dead letters, or --all, not both/],
      [['list', '--limit', '0'], 2, /--limit 0 cannot be used/],
      [['forget'], 2, /The action forget is unknown: give deadletters list, retry or drop/],
      [[], 2, /The action is missing: give deadletters list, retry or drop/],
    ];
    for (const [args, code, sentence] of wrong) {
      const hasAction = ['list', 'retry', 'drop'].includes(args[0] ?? '');
      const result = await (hasAction ? cli(...args) : runCli(['deadletters', ...args]));
      expect([result.code, result.stdout]).toEqual([code, '']);
      expect(result.stderr).toMatch(sentence);
      expect(result.stderr.trim().split('\n')).toHaveLength(1);
    }
  });

  it('escapes control characters of foreign data before they reach the terminal', async () => {
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
    expect(stderr).toContain('The action x\\u009b31m is unknown');
  });
});
