import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { useRedis } from '../support/use-redis.ts';

const SECRET = { SESSIONWISE_SECRET: 'a secret for tests, and only for them' };

describe('the command line tells what is wrong in one sentence', () => {
  let folder: string;
  const locked = useRedis({ eachTest: 'kept' });
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sw-cli-'));
    await locked.redis.command('CONFIG', 'SET', 'requirepass', 'hidden-password');
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
  });

  const expectSentence = async (
    args: string[],
    code: number,
    sentence: RegExp,
    env: NodeJS.ProcessEnv = SECRET,
  ): Promise<void> => {
    const result = await runCli(args, { cwd: folder, env });
    expect(result.stderr).toMatch(sentence);
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
    expect(result.stderr).not.toMatch(/^\s+at /m);
    expect(result.stdout).toBe('');
    expect(result.code).toBe(code);
  };

  it('usage: code 2', async () => {
    await expectSentence(['serv'], 2, /unknown command 'serv'.*Did you mean serve/);
    await expectSentence(['serve', '--bogus'], 2, /unknown option '--bogus'/);
    await expectSentence(['serve'], 2, /No Redis: give --redis URL or --connection FILE/);
    await expectSentence(['serve', '--redis', 'http://x'], 2, /"http:\/\/" is no Redis address/);
    await expectSentence(['serve', '--redis', 'not a url'], 2, /The Redis URL is not one/);
    await expectSentence(['serve', '--redis', locked.url, '--connection', 'x'], 2, /not both/);
    await expectSentence(['serve', '--redis', locked.url, '--sessionglob', '[a'], 2, /session glob "\[a"/);
    await expectSentence(
      ['serve', '--redis', locked.url, '--transport', 'pigeons'],
      2,
      /--transport pigeons cannot be used/,
    );
    await expectSentence(['serve', '--redis', locked.url, '--namespace', 'Über'], 2, /namespace "Über"/);
    await expectSentence(['serve', '--redis', locked.url, '--http', 'abc'], 2, /address "abc"/);
    await expectSentence(['serve', '--redis', locked.url, '--log-level', 'loud'], 2, /--log-level loud cannot be used/);
    await expectSentence(['demo', '--port', 'abc'], 2, /--port abc cannot be used/);
    await expectSentence(['notices'], 2, /give notices publish, edit, withdraw, list, stats, group or follow/);
    await expectSentence(['notices', 'notify'], 2, /The action notify is unknown/);
    const publish = ['notices', 'publish', '--redis', locked.url, '--text', 'x'];
    await expectSentence([...publish, '--group', 'staff'], 2, /--id/);
    const notice = [...publish, '--id', 'x'];
    await expectSentence(notice, 2, /one of --group, --segment, --person and --session/);
    await expectSentence([...notice, '--group', 'a', '--person', 'b'], 2, /one of --group/);
    await expectSentence([...notice, '--group', 'a b'], 2, /group "a b" cannot be used/);
    await expectSentence([...notice, '--person', '[object Object]'], 2, /user id/);
    await expectSentence([...notice, '--group', 'staff', '--data', '{'], 2, /--data is no JSON object/);
    await expectSentence([...notice, '--group', 'staff', '--data', '[1]'], 2, /"data" is \[1\]: give an object/);
    await expectSentence(
      [...notice, '--group', 'staff', '--publish-at', 'soon'],
      2,
      /--publish-at soon cannot be used/,
    );
    await expectSentence([...notice, '--group', 'staff', '--severity', 'loud'], 2, /"severity" is "loud"/);
    await expectSentence(['notices', 'list', '--redis', locked.url, '--group', 'a', '--limit', '0'], 2, /--limit 0/);
    await expectSentence(['notices', 'group', 'a', '--redis', locked.url, '--join', 'later'], 2, /--join later/);
    await expectSentence(['inspect', 'a.token:with/characters', '--redis', locked.url], 2, /no session id/);
    await expectSentence(
      ['inspect', 's', '--redis', locked.url, '--time-zone', 'Mars/Base'],
      2,
      /--time-zone Mars\/Base cannot be used/,
    );
    expect((await runCli([])).code).toBe(2);
  }, 180_000);

  it('configuration: code 2, naming the path of each wrong value and never the secret', async () => {
    const redis = ['--redis', locked.url];
    await expectSentence(['serve', ...redis, '--config', 'missing.json'], 2, /missing.json cannot be read \(ENOENT\)/);
    const broken = file('broken.json', '{"secret":"do-not-print-this-secret" "suggestions":[]}');
    await expectSentence(['serve', ...redis, '--config', broken], 2, /broken.json is not JSON: line 1, column 38/);
    expect((await runCli(['serve', ...redis, '--config', broken])).stderr).not.toContain('do-not-print');
    const wrong = file(
      'wrong.json',
      '{"suggestions":[{"name":"a","when":{"seen":7},"suggest":"b"}],"exactLimit":1000,"colour":1}',
    );
    await expectSentence(
      ['serve', ...redis, '--config', wrong],
      2,
      /exactLimit: .*colour .*suggestions\[0\]\.when\.seen \(7\)/,
    );
    const twice = file(
      'twice.json',
      '{"suggestions":[{"name":"a","when":{"seen":"x"},"suggest":"b"},{"name":"a","when":{"seen":"y"},"suggest":"c"}]}',
    );
    await expectSentence(
      ['serve', ...redis, '--config', twice],
      2,
      /suggestions\[1\]\.name cannot be used: suggestions\[0\] is called "a" too/,
    );
    const url = file('url.json', '{"suggestions":[{"name":"a","when":{"seen":"http://"},"suggest":"b"}]}');
    await expectSentence(
      ['serve', ...redis, '--config', url],
      2,
      /suggestions\[0\]\.when\.seen cannot be used: .*not a valid URL/,
    );
    const connection = file('connection.json', '{"host":"127.0.0.1","port":99999,"password":"hidden-password"}');
    await expectSentence(['serve', '--connection', connection], 2, /port 99999/);
    await expectSentence(['serve', '--connection', file('list.json', '[]')], 2, /must hold a JSON object/);
    await expectSentence(['serve', ...redis], 2, /secret is too short/, { SESSIONWISE_SECRET: 'short' });
  }, 60_000);

  it('surroundings: code 1', async () => {
    await expectSentence(
      ['serve', '--redis', 'redis://127.0.0.1:1'],
      1,
      /127\.0\.0\.1:1 cannot be reached \(ECONNREFUSED\)/,
    );
    await expectSentence(
      ['serve', '--redis', 'unix:///nowhere.sock'],
      1,
      /\/nowhere\.sock cannot be reached \(ENOENT\)/,
    );
    await expectSentence(['serve', '--redis', locked.url], 1, /refused the login.*NOAUTH/);
    const wrongPassword = file('wrong-password.json', JSON.stringify({ path: locked.socketPath, password: 'guess' }));
    await expectSentence(['serve', '--connection', wrongPassword], 1, /refused the login.*WRONGPASS/);
    expect((await runCli(['serve', '--connection', wrongPassword])).stderr).not.toContain('guess');
    await expectSentence(['inspect', 's', '--redis', 'redis://127.0.0.1:1'], 1, /cannot be reached/);
    await expectSentence(
      ['notices', 'publish', '--group', 'g', '--id', 'x', '--text', 'x', '--redis', 'redis://127.0.0.1:1'],
      1,
      /cannot be reached/,
    );
    await expectSentence(['doctor', '--redis', 'redis://127.0.0.1:1'], 1, /cannot be reached/);
  }, 60_000);

  it('a server that never answers: a deadline, and code 1', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    try {
      await expectSentence(['serve', '--redis', `redis://127.0.0.1:${port}`], 1, /cannot be reached/);
    } finally {
      silent.close();
    }
  });

  it('help goes to standard output, with code 0', async () => {
    for (const command of ['serve', 'demo', 'replay', 'notices', 'inspect', 'erase', 'export', 'doctor']) {
      const { code, stdout, stderr } = await runCli([command, '--help']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain(`Usage: sessionwise ${command}`);
    }
    expect((await runCli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  }, 60_000);
});
