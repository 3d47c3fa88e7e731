import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Keys } from '../../src/redis/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { runCli } from '../support/run-cli.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const SECRET = 'a secret of the tests, long enough';
const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');
const server = useRedis({ eachTest: 'kept' });
let service: Service;
beforeAll(async () => {
  service = await startService({ redis: server.url, secret: SECRET });
});
afterAll(() => service?.stop());

describe('sessionwise notices follow', () => {
  it('prints what happens, a line of JSON an event, until it is stopped', async () => {
    const env = { ...process.env, SESSIONWISE_SECRET: SECRET };
    const args = ['notices', 'follow', '--group', 'mailers of the site', '--from', 'start', '--redis', server.url];
    const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    for (const args of [
      ['publish', '--group', 'customers', '--id', 'n1', '--text', 'Hello'],
      ['withdraw', 'n1'],
    ]) {
      const { code } = await runCli(['notices', ...args, '--redis', server.url], {
        env: { SESSIONWISE_SECRET: SECRET },
      });
      expect(code).toBe(0);
    }
    await waitUntil('both are printed', () => lines.length >= 2, 20_000);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'published', to: { group: 'customers' }, notice: { id: 'n1', text: 'Hello' }, tries: 1 },
      { event: 'withdrawn', noticeId: 'n1', tries: 1 },
    ]);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    const [pending] = await server.redis.command<[number]>('XPENDING', new Keys('sw').live(), 'mailers of the site');
    expect(pending).toBe(0);
  }, 60_000);

  it.each([
    [['--from', 'end', '--group', 'g'], '--from end cannot be used: give now or start.'],
    [[], "required option '--group <name>'"],
    [['--group', ''], 'group "" cannot be used'],
  ])('refuses %j', async (args, told) => {
    const all = ['notices', 'follow', ...args, '--redis', server.url];
    const { code, stderr } = await runCli(all, { env: { SESSIONWISE_SECRET: SECRET } });
    expect(code).toBe(2);
    expect(stderr).toContain(told);
  });
});
