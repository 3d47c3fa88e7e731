import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { decodeHeartbeat, heartbeatChannel } from '../../src/protocol/index.ts';
import { processesNaming } from '../support/processes-naming.ts';
import { MAIN } from '../support/run-cli.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* npx.test.ts: whom a service ends with. npm and npx start it through a shell that passes no signal on. */

describe.skipIf(process.platform !== 'linux')('a service that npx or npm run started', () => {
  let folder: string;
  const server = useRedis({ eachTest: 'kept' });
  const { redis } = server;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sw-npx-'));
    mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
    symlinkSync(MAIN, join(folder, 'node_modules', '.bin', 'sessionwise'));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts: { serve: 'sessionwise serve' } }));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
  });

  const start = (namespace: string, program: string, ...args: string[]): ChildProcess => {
    const { npm_lifecycle_event: _, ...env } = process.env;
    onTestFinished(() => {
      for (const { pid } of serving(namespace)) process.kill(pid, 'SIGKILL');
    });
    return spawn(program, [...args, '--redis', server.url, '--namespace', namespace], {
      cwd: folder,
      stdio: 'ignore',
      env: { ...env, SESSIONWISE_SECRET: 'a secret for tests, and only for them' },
    });
  };
  const serving = (namespace: string) => processesNaming(`--namespace ${namespace}`);
  /** Counts the heartbeats of a namespace, good-byes apart. */
  const heartbeats = async (namespace: string): Promise<{ readonly there: number; readonly leaving: number }> => {
    const heard = { there: 0, leaving: 0 };
    await redis.subscribe(heartbeatChannel(namespace), (message) => {
      heard[decodeHeartbeat(message)?.leaving ? 'leaving' : 'there'] += 1;
    });
    return heard;
  };

  it.each([
    ['npx', 'SIGTERM', ['npx', '--offline', '--no', 'sessionwise', 'serve']],
    ['npx', 'SIGKILL', ['npx', '--offline', '--no', 'sessionwise', 'serve']],
    ['npm run', 'SIGTERM', ['npm', 'run', 'serve', '--']],
    ['npm run', 'SIGKILL', ['npm', 'run', 'serve', '--']],
  ] as const)('that %s started says good-bye and ends when that gets %s', async (name, signal, [program, ...args]) => {
    const namespace = `${name.replace(' ', '-')}-${signal.toLowerCase()}`;
    const heard = await heartbeats(namespace);
    const child = start(namespace, program, ...args);
    await waitUntil('it serves', () => heard.there > 0);
    child.kill(signal);
    await waitUntil('it says good-bye', () => heard.leaving > 0);
    await waitUntil('it has ended', () => serving(namespace).length === 0);
  });

  it('that no package manager started goes on without the shell that did', async () => {
    const heard = await heartbeats('alone');
    const shell = start('alone', 'sh', '-c', '"$@" & wait', 'sh', process.execPath, MAIN, 'serve');
    await waitUntil('it serves', () => heard.there > 0);
    shell.kill('SIGKILL');
    const before = heard.there;
    await waitUntil('it serves on', () => heard.there >= before + 4);
    expect(heard.leaving).toBe(0);
  });
});
