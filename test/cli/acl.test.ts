import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { hasRedis7 } from '../support/test-server.ts';
import { useRedis } from '../support/use-redis.ts';

const DOCS = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');

const { redis } = useRedis();

/** The lines that `sessionwise acl` prints. */
async function printed(...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await runCli(['acl', ...args]);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: expect.not.stringContaining('sessionwise:') });
  return stdout.trimEnd().split('\n');
}

/** Has Redis take lines as they are typed, with a password. A selector's words are one argument or many: Redis joins
 *  them. */
async function take(lines: readonly string[], password = '>secret'): Promise<void> {
  for (const line of lines) await redis.command(...line.replace('<password>', password).split(' '));
}

const VARIANTS: string[][][] = [
  [[]],
  [['--store']],
  [['--live', '--cluster']],
  [['--consume', '--store']],
  [['--store', '--archive', '--import-from', 'sess:*[old]']],
  [['--transport', 'streams', '--store', '--cluster']],
  [['--transport', 'both', '--store', '--archive', '--cluster', '--namespace', 'shop']],
  [['--sessionglob', '[a-m]*', '--sessionglob', '[^a-m]*']],
  [['--redis-version', '6.2', '--store', '--transport', 'both', '--cluster']],
];

describe('sessionwise acl', () => {
  it('prints what docs/operations.md says, and what each line allows on standard error', async () => {
    const { code, stdout, stderr } = await runCli(['acl', '--store']);
    expect(code).toBe(0);
    expect(DOCS).toContain(`\`\`\`text\n${stdout}\`\`\``);
    expect(stdout.split('\n').map((line) => line.split(' ')[2])).toEqual(['app', 'store', 'service', undefined]);
    expect(stderr.split('\n').map((line) => line.split(':')[0])).toEqual(['app', 'store', 'service', '']);
  });

  it.each(VARIANTS.filter(([args]) => hasRedis7 || args!.includes('6.2')))(
    'with %j prints what Redis takes',
    async (args) => {
      const lines = await printed(...args);
      await take(lines);
      for (const name of lines.map((line) => line.split(' ')[2]!)) {
        const user = await redis.command<{ flags: string[]; passwords: string[] }>('ACL', 'GETUSER', name);
        expect([name, user.flags.includes('on'), user.passwords.length]).toEqual([name, true, 1]);
        expect(user.flags).not.toContain('nopass');
      }
    },
  );

  it('is refused by Redis until a password stands in it', async () => {
    await redis.command('ACL', 'DELUSER', 'app');
    const [line] = await printed('--redis-version', hasRedis7 ? '7.0' : '6.2');
    await expect(take([line!], '<password>')).rejects.toThrow(/password/);
    expect(await redis.command('ACL', 'GETUSER', 'app')).toBeNull();
  });

  it.skipIf(!hasRedis7)('forgets what a user was allowed before', async () => {
    await redis.command('ACL', 'SETUSER', 'app', 'on', 'nopass', '~*', '&*', '+@all', '(~* +@all)');
    await take(await printed());
    expect(await redis.command('ACL', 'DRYRUN', 'app', 'GET', 'sw:meta')).toMatch(/no permissions/);
    expect(await redis.command('ACL', 'DRYRUN', 'app', 'PUBLISH', 'anything', 'x')).toMatch(/no permissions/);
  });

  it.skipIf(!hasRedis7)('allows an instance the patterns of its own sessions, in its own namespace', async () => {
    await take(await printed('--sessionglob', '[a-m]*', '--namespace', 'shop'));
    const verdict = (...args: string[]) => redis.command<string>('ACL', 'DRYRUN', 'service', ...args);
    expect(await verdict('PSUBSCRIBE', 'shop:ss:pageview:[a-m]*:?*')).toBe('OK');
    expect(await verdict('PSUBSCRIBE', 'shop:ss:pageview:?*:?*')).toMatch(/channel/);
    expect(await verdict('PSUBSCRIBE', 'ss:pageview:[a-m]*:?*')).toMatch(/channel/);
    expect(await verdict('GET', 'shop:meta')).toBe('OK');
    expect(await verdict('GET', 'sw:meta')).toMatch(/key/);
  });

  it.skipIf(!hasRedis7)('takes a prefix of connect-redis as it is, whatever stands in it', async () => {
    await take(await printed('--store', '--import-from', 'a[bc]*?:'));
    const verdict = (key: string) => redis.command<string>('ACL', 'DRYRUN', 'store', 'GET', key);
    expect(await verdict('a[bc]*?:token')).toBe('OK');
    for (const key of ['ab*?:token', 'ab:token', 'a[bc]xy:token']) expect(await verdict(key)).toMatch(/key/);
  });

  it.skipIf(!hasRedis7)('prints JSON: the rules without a login', async () => {
    const { users, redisVersion } = JSON.parse((await printed('--store', '--json')).join(''));
    expect(redisVersion).toBe('7.0');
    expect(users.map(({ name }: { name: string }) => name)).toEqual(['app', 'store', 'service']);
    for (const { name, allows, rules } of users) {
      expect(allows).toMatch(/\.$/);
      await redis.command('ACL', 'SETUSER', `json-${name}`, 'reset', 'resetchannels', 'on', '>x', ...rules);
    }
    await take(await printed('--store'), '>x');
    for (const { name } of users) {
      const [fromLine, fromJson] = await Promise.all(
        [name, `json-${name}`].map((user) => redis.command('ACL', 'GETUSER', user)),
      );
      expect(fromJson).toEqual(fromLine);
    }
  });

  it('for Redis 6.2 uses neither selectors nor what is newer', async () => {
    const lines = await printed('--redis-version', '6.2', '--store', '--transport', 'both', '--cluster');
    for (const line of lines) expect(line).not.toMatch(/[()%]|ssubscribe|spublish/);
  });

  it.each([
    [['--transport', 'pigeons'], '--transport pigeons cannot be used: give channels, streams, both.'],
    [['--redis-version', '5'], '--redis-version 5 cannot be used: give 7.0, 6.2.'],
    [['--filter', 'best'], '--filter best cannot be used: give portable, native.'],
    [['--namespace', 'a b'], 'The namespace "a b" cannot be used'],
    [['--sessionglob', 'a*b*'], 'The session glob "a*b*" cannot be used'],
    [['--archive'], '--store is missing'],
    [['--import-from', 'sess:'], '--store is missing'],
    [['--mirror-to', 'sess:'], '--store is missing'],
    [['--store', '--import-from', 'sess: +@all'], 'The prefix "sess: +@all" cannot stand in a rule'],
    [['--store', '--import-from', ''], 'The prefix "" cannot stand in a rule'],
    [['--unknown'], "unknown option '--unknown'"],
  ])('refuses %j', async (args, told) => {
    const { code, stdout, stderr } = await runCli(['acl', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(told);
  });
});
