import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { startTestRedis, type TestRedis } from '../support/test-redis.ts';
import { useRedis } from '../support/use-redis.ts';

/* redis-url.test.ts: which Redis a command takes. Two servers and three addresses where nobody is tell the ways apart. */

describe('where Redis is: --redis or --connection, REDIS_URL, the configuration, the embedded one', () => {
  let folder: string;
  const redis = useRedis({ eachTest: 'kept' });
  let other: TestRedis;
  const file = (name: string, value: unknown): string => {
    writeFileSync(join(folder, name), JSON.stringify(value));
    return name;
  };
  /** Which Redis `doctor` looked at. */
  const looksAt = async (args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> => {
    const { stdout, stderr } = await runCli(['doctor', ...args], { cwd: folder, env });
    return /^Redis at (.*)$/m.exec(stdout)?.[1] ?? stderr;
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sw-url-'));
    other = await startTestRedis();
  });
  afterAll(async () => {
    await other.stop();
    rmSync(folder, { recursive: true });
  });

  it('REDIS_URL is read where neither --redis nor --connection is given', async () => {
    const env = { REDIS_URL: redis.url };
    expect(await looksAt([], env)).toBe(redis.socketPath);
    expect(await looksAt(['--redis', other.url], env)).toBe(other.socketPath);
    expect(await looksAt(['--connection', file('connection.json', { url: other.url })], env)).toBe(other.socketPath);
  });

  it('it wins over the configuration and over the embedded Redis', async () => {
    const config = ['--config', file('config.json', { redis: other.url })];
    expect(await looksAt(config)).toBe(other.socketPath);
    expect(await looksAt(config, { REDIS_URL: redis.url })).toBe(redis.socketPath);
    // A test's Redis is an embedded one; its folder has what `demo` leaves.
    const embedded = ['--data-dir', other.dataDir];
    expect(await looksAt(embedded)).toBe(other.socketPath);
    expect(await looksAt(embedded, { REDIS_URL: redis.url })).toBe(redis.socketPath);
  });

  it('an empty one is none, a wrong one is named, and its password is not shown', async () => {
    expect(await looksAt([], { REDIS_URL: '' })).toMatch(/No Redis: give --redis URL .* or set REDIS_URL/);
    const { code, stderr } = await runCli(['doctor'], { cwd: folder, env: { REDIS_URL: 'http://:hidden@x' } });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^sessionwise: REDIS_URL: "http:\/\/" is no Redis address/);
    expect(stderr).not.toContain('hidden');
  });

  it('replay does not read it: the log of a shell must not go into the store of a site', async () => {
    const { code, stderr } = await runCli(
      ['replay', 'none.log', '--config', file('nowhere.json', { redis: 'redis://127.0.0.1:1' })],
      { cwd: folder, env: { REDIS_URL: 'http://wrong' } },
    );
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/none\.log cannot be read/) });
  });

  it('the help of a command says so where it is read, and nowhere else', async () => {
    const helps = ['serve', 'doctor', 'replay'].map(async (name) => (await runCli([name, '--help'])).stdout);
    const areTold = (await Promise.all(helps)).map((help) => help.includes('(else REDIS_URL)'));
    expect(areTold).toEqual([true, true, false]);
  });
});
