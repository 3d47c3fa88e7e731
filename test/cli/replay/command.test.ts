import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { processesNaming } from '../../support/processes-naming.ts';

/* command.test.ts: `sessionwise replay` as users start it, with a Redis and a service of its own. Needs the build. */

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const hasBuild = existsSync(MAIN);
if (!hasBuild) console.warn(`SKIPPED: the command replay, because ${MAIN} is absent: run npm run build.`);

const LINES = `${Array.from(
  { length: 100 },
  (_, i) => `10.0.0.${i % 10} - - [17/May/2015:10:0${i % 7}:03 +0000] "GET /page/${i % 9} HTTP/1.1" 200 1`,
).join('\n')}\n`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sw-cmd-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function start(...args: string[]): ChildProcess {
  // Its temporary folder goes into ours, and so do the names of what it starts.
  return spawn(process.execPath, [MAIN, 'replay', ...args], { cwd: folder, env: { ...process.env, TMPDIR: folder } });
}

async function run(input: string, ...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = start(...args);
  child.stdin!.on('error', () => undefined).end(input);
  const [out, err, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')]);
  return { code, out, err };
}

/** The processes that a replay of ours has started. */
const started = (): { pid: number; command: string }[] => processesNaming(`${folder}/sessionwise-replay-`);

describe.skipIf(!hasBuild)('sessionwise replay', { timeout: 60_000 }, () => {
  it('prints one JSON object, verified, and leaves nothing', async () => {
    const { code, out, err } = await run(LINES, '-', '--verify', '--json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(out)).toMatchObject({ requests: 100, sessions: 10, views: 100, degraded: 0 });
    expect(out.trim().split('\n')).toHaveLength(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('a report for people, with filters only', async () => {
    await writeFile(join(folder, 'a.log'), LINES);
    await writeFile(join(folder, 'config.json'), '{"namespace":"logs","exactLimit":9,"sessionglob":"x*","http":1}');
    const { code, out, err } = await run('', 'a.log', '--exact-limit', '0', '--verify', '--config', 'config.json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^a\.log: 100 requests, /);
    expect(out).toMatch(/filters +\d+ {2}of 100,000 in 10 visitors/);
    expect(out).toContain('\nverified: ');
  });

  it.each([
    [['none.log'], 1, 'The log none.log cannot be read: there is no such file.'],
    [['.'], 1, 'The log . cannot be read: it is a folder; give one file.'],
    [['-'], 1, 'The log standard input is empty.'],
    [['-', '--redis', 'redis://127.0.0.1:1'], 1, 'Redis at 127.0.0.1:1 cannot be reached'],
    [['-', '--redis', 'redis://127.0.0.1:1', '--exact-limit', '0'], 2, '--exact-limit is for the service that'],
    [['-', '--exact-limit', '513'], 2, '--exact-limit is "513": give a whole number from 0 to 512.'],
    [['-', '--concurrency', '0'], 2, '--concurrency is "0": give a whole number'],
    [['-', '--deadline', '1.5'], 2, '--deadline is "1.5": give a whole number'],
    [['-', '--namespace', 'A'], 2, 'The namespace "A" cannot be used'],
    [[], 2, "missing required argument 'file'"],
  ])('%j is refused in one sentence', async (args, code, message) => {
    const result = await run('', ...args);
    expect(result).toMatchObject({ code, out: '', err: expect.stringContaining(message) });
    expect(result.err.trim().split('\n')).toHaveLength(1);
  });

  describe.skipIf(process.platform !== 'linux')('leaves no process behind', () => {
    it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('after %s', async (signal) => {
      const child = start('-');
      child.stdin!.on('error', () => undefined).write(LINES); // and no end
      try {
        await vi.waitUntil(() => started().some(({ command }) => command.includes(' serve ')), { timeout: 20_000 });
        expect(started().some(({ command }) => command.includes('redis.sock'))).toBe(true);
      } finally {
        child.kill(signal);
      }
      const [code, by] = await once(child, 'exit');
      expect({ code, by }).toEqual({ code: null, by: signal });
      await vi.waitUntil(() => started().length === 0, { timeout: 10_000 });
      if (signal !== 'SIGKILL') expect(readdirSync(folder)).toEqual([]);
    });

    it('a service that dies is told', async () => {
      const child = start('-');
      child.stdin!.on('error', () => undefined).write(LINES);
      const err = text(child.stderr!);
      await vi.waitUntil(() => started().some(({ command }) => command.includes(' serve ')), { timeout: 20_000 });
      const service = started().find(({ command }) => command.includes(' serve '))!;
      process.kill(service.pid, 'SIGKILL');
      expect(await once(child, 'exit')).toEqual([1, null]);
      expect(await err).toBe('sessionwise: The service of this replay ended (SIGKILL).\n');
      expect(readdirSync(folder)).toEqual([]);
    });
  });
});
