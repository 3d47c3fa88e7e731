import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { ended, runCli, startCli } from '../support/run-cli.ts';
import { startTestRedis } from '../support/test-redis.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

describe('serve, notices, inspect and doctor together', () => {
  let folder: string;
  const redis = useRedis({ persistence: true, eachTest: 'kept' });
  let client: SessionClient;
  let service: ReturnType<typeof startCli>;
  const cli = (...args: string[]) => runCli([...args, '--redis', redis.url], { cwd: folder });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sw-cli-'));
    service = startCli(['serve', '--redis', redis.url, '--http', '0'], { cwd: folder });
    await waitUntil('the service serves', () => service.output().includes('"Serving."'));
    client = new SessionClient({ redis: redis.url });
    await client.ready();
  });
  afterAll(async () => {
    await client.close();
    service.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  it('a first start without a secret makes one, tells so and keeps it from others', () => {
    expect(service.output()).toContain('A secret was generated');
    expect(statSync(join(folder, '.sessionwise', 'secret')).mode & 0o777).toBe(0o600);
  });

  it('notices publish publishes once, and the sessions see it', async () => {
    const notice = ['notices', 'publish', '--group', 'customers', '--id', 'n1', '--text', 'Hello'];
    const first = await cli(...notice, '--data', '{"link":"/sale"}', '--json');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(first.stdout)).toEqual({ id: 'n1', isNew: true, at: expect.any(Number) });
    expect((await cli(...notice)).stdout).toContain('"n1" is there already: nothing changed');
    const notices = await client.session('reader').notices.list({ groups: ['customers'] });
    const data = { link: '/sale' };
    expect(notices).toMatchObject({
      notices: [{ id: 'n1', text: 'Hello', data, group: 'customers', seen: false, read: false }],
      unread: 1,
    });
  });

  it('notices edit, list, stats, group and withdraw say what they did, in words and as JSON', async () => {
    const run = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await cli('notices', ...args);
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      return stdout.trimEnd();
    };
    const reader = () => client.session('writer').notices;
    expect(await run('publish', '--group', 'staff', '--id', 'later', '--text', 'T', '--publish-at', '2100-01-31')).toBe(
      'Published "later" to the group staff: shown from 2100-01-31T00:00:00.000Z.',
    );
    expect(await run('publish', '--person', 'ada', '--id', 'own', '--text', 'For Ada')).toMatch(
      /^Published "own" to the person: shown from 20/,
    );
    expect(await reader().list({ groups: ['staff'] })).toMatchObject({ notices: [], changesAt: Date.UTC(2100, 0, 31) });
    expect(await run('edit', 'later', '--publish-at', '2020-01-01', '--title', 'Now')).toBe(
      'Changed "later" in 1 list.',
    );
    expect(await run('edit', 'nobody', '--text', 'T')).toBe('"nobody" stands nowhere: nothing changed.');
    expect(await run('edit', 'own', '--person', 'ada', '--text', 'Again', '--json')).toBe('{"id":"own","lists":1}');
    expect(await reader().list({ groups: ['staff'] })).toMatchObject({ notices: [{ id: 'later', title: 'Now' }] });
    expect(await run('list', '--group', 'staff')).toBe('later  from 2020-01-01T00:00:00.000Z  Now: T');
    expect(await run('list', '--person', 'ada', '--json')).toMatch(/^\{"id":"own","text":"Again","at":\d+\}$/);
    expect(await run('list', '--group', 'empty')).toBe('There are no notices.');
    expect(await reader().markRead(['later'])).toBe(1);
    expect(await run('stats', 'later', 'own')).toBe(
      'later: seen by about 1, read by about 1.\nown: seen by about 0, read by about 0.',
    );
    expect(await run('group', 'staff', '--join', 'now')).toBe(
      'Who meets the group staff sees what is published from then on.',
    );
    expect(await client.session('newcomer').notices.list({ groups: ['staff'] })).toMatchObject({ notices: [] });
    expect(await run('withdraw', 'later')).toBe('Withdrew "later" in 1 list.');
    expect(await run('withdraw', 'own', '--person', 'ada', '--json')).toBe('{"id":"own","lists":1}');
    expect(await run('list', '--person', 'ada')).toBe('There are no notices.');
  }, 60_000);

  it('inspect tells what is known, in words and as JSON', async () => {
    const session = client.session('visitor');
    await session.request('pageview', '/a?x=1');
    await session.request('pageview', '/b');
    await session.notices.markRead(['n1', 'foreign']);
    await session.markSeen(['sku-1']);
    const { code, stdout } = await cli(
      'inspect',
      'visitor',
      '--seen',
      '/a',
      '--seen',
      '/c',
      '--seen',
      'sku-1',
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      session: 'visitor',
      known: true,
      totalPages: 2,
      uniquePages: 2,
      uniquePagesExact: true,
      items: 1,
      noticesMarked: 2,
      seen: { '/a': true, '/c': false, 'sku-1': true },
    });
    const words = (await cli('inspect', 'visitor', '--time-zone', 'UTC')).stdout;
    expect(words).toMatch(/Viewed 2 pages, 2 of them different/);
    expect(words).toMatch(/Active in [12] minutes?: first .* \(UTC\)/);
    expect(words).toMatch(/expires in 30 days/);
  });

  it('inspect and notices refuse another secret and an unknown namespace, and make none', async () => {
    const other = { cwd: folder, env: { SESSIONWISE_SECRET: 'another secret, just as long as it must be' } };
    for (const args of [
      ['inspect', 'visitor'],
      ['notices', 'publish', '--group', 'customers', '--id', 'x', '--text', 'x'],
    ]) {
      const { code, stderr } = await runCli([...args, '--redis', redis.url], other);
      expect(code).toBe(1);
      expect(stderr).toContain('was made with another secret');
    }
    for (const args of [
      ['inspect', 'visitor'],
      ['notices', 'publish', '--group', 'customers', '--id', 'x', '--text', 'x'],
      ['notices', 'group', 'customers', '--join', 'now'],
    ]) {
      const unknown = await cli(...args, '--namespace', 'empty');
      expect(unknown.code).toBe(1);
      expect(unknown.stderr).toContain('keeps no namespace "empty"');
    }
    expect(await redis.redis.command('KEYS', 'empty:*')).toEqual([]);
  });

  it('doctor finds nothing wrong with a server that is set up well, and names the instances that serve', async () => {
    const { code, stdout } = await cli('doctor', '--json');
    const { problems, findings } = JSON.parse(stdout);
    expect({ code, problems }).toEqual({ code: 0, problems: 0 });
    expect(findings).toContainEqual({ level: 'good', about: 'service', text: '1 serving: ?*.' });
  });

  it('doctor names each problem and ends with 1', async () => {
    const bad = await startTestRedis({
      extraArgs: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru', '--save', ''],
    });
    try {
      const { code, stdout } = await runCli(['doctor', '--redis', bad.url], { cwd: folder });
      expect(code).toBe(1);
      expect(stdout).toMatch(/PROBLEM {2}persistence .*a restart loses everything/);
      expect(stdout).toMatch(/PROBLEM {2}eviction .*allkeys-lru/);
      expect(stdout).toMatch(/note .*No instance serves "sw"/);
      expect(stdout).toContain('2 problems found.');
    } finally {
      await bad.stop();
    }
  });

  it('a second instance with the same glob is told by doctor', async () => {
    const second = startCli(['serve', '--redis', redis.url], { cwd: folder });
    try {
      await waitUntil('the second serves', () => second.output().includes('"Serving."'));
      expect((await cli('doctor')).stdout).toMatch(/PROBLEM {2}service .*2 serving, and their globs overlap/);
    } finally {
      second.kill('SIGTERM');
      expect(await ended(second)).toBe(0);
    }
  });

  it('SIGTERM: finishes what is in hand, says so, exits with 0', async () => {
    const answers = Array.from({ length: 200 }, (_, i) =>
      client.request('pageview', `last-${i}`, '/', { deadlineMs: 5000 }),
    );
    // Redis has handed them all over once it has answered a later command of the same connection.
    await client.publish('session-analytics', 'last', '');
    service.kill('SIGTERM');
    expect(await ended(service)).toBe(0);
    expect((await Promise.all(answers)).filter((answer) => answer === undefined)).toEqual([]);
    expect(service.output()).toContain('"Stopped."');
  });
});
