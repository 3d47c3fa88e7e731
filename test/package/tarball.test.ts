import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePorts } from '../support/free-ports.ts';
import { startTestRedis } from '../support/test-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* tarball.test.ts: what `npm pack` makes of a checkout that was never built, and what a user can do with it. Offline:
 * what npm would install beside the package is linked from our own node_modules. */

const ROOT = join(import.meta.dirname, '../..');
const LEFT_OUT = ['node_modules', 'dist', '.git', '.sessionwise'];

describe('the packed package', { timeout: 120_000 }, () => {
  let folder: string;
  let site: string;
  let installed: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sw-pack-'));
    const checkout = join(folder, 'checkout');
    cpSync(ROOT, checkout, {
      recursive: true,
      filter: (source) => !LEFT_OUT.includes(basename(source)) && !source.endsWith('.tgz'),
    });
    symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
    execFileSync('npm', ['pack', '--offline', '--pack-destination', folder], { cwd: checkout, stdio: 'pipe' });
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;

    site = join(folder, 'site');
    installed = join(site, 'node_modules', 'sessionwise');
    mkdirSync(join(site, 'node_modules', '.bin'), { recursive: true });
    execFileSync('tar', ['-xzf', join(folder, tarball), '-C', folder]);
    cpSync(join(folder, 'package'), installed, { recursive: true });
    const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    for (const name of [...Object.keys(dependencies), 'express', 'express-session']) {
      const link = join(site, 'node_modules', name);
      mkdirSync(join(link, '..'), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), link);
    }
    symlinkSync('../sessionwise/dist/cli/main.js', join(site, 'node_modules', '.bin', 'sessionwise'));
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('holds what it promises to hold, built', () => {
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    const doors = Object.values<string | Record<string, Record<string, string>>>(manifest.exports);
    const targets = doors.flatMap((door) =>
      typeof door === 'string' ? [door] : Object.values(door).flatMap((files) => Object.values(files)),
    );
    const promised = [
      ...targets,
      ...Object.values<string>(manifest.bin),
      ...manifest.files.filter((file: string) => !file.startsWith('!')),
    ];
    expect(promised.filter((file) => !existsSync(join(installed, file)))).toEqual([]);
    expect(statSync(join(installed, manifest.bin.sessionwise)).mode & 0o111).toBe(0o111);
  });

  it('has the command and the library, where a site has installed it', () => {
    const run = (program: string, ...args: string[]): string =>
      execFileSync(program, args, { cwd: site, encoding: 'utf8' });
    expect(run('npx', '--offline', '--no', 'sessionwise', '--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(run(process.execPath, '-p', "typeof require('sessionwise').SessionClient")).toBe('function\n');
  });

  it('the shop, copied out as its README says, starts and finds the service', async () => {
    const redis = await startTestRedis();
    onTestFinished(() => redis.stop());
    const [port] = await freePorts(1);
    // The steps of the README that need no registry; what `npm install` brings is there already.
    const readme = readFileSync(join(installed, 'examples', 'shop', 'README.md'), 'utf8');
    const steps = /```sh\n([\s\S]*?)```/
      .exec(readme)![1]!
      .split('\n')
      .filter((step) => step !== '');
    const typed = (pattern: RegExp): string => {
      const step = steps.find((each) => pattern.test(each));
      if (step === undefined) throw new Error(`The README has no step like ${pattern}.`);
      return step.replace(/ {2,}#.*$/, '').replaceAll('redis://127.0.0.1:6379', redis.url);
    };
    const env = { ...process.env, PORT: String(port), SESSIONWISE_SECRET: 'a secret for tests, and only for them' };
    // What npm itself writes since version 11; without a type of its own a folder with this above it does not start.
    writeFileSync(join(site, 'package.json'), '{"name":"site","version":"1.0.0","type":"commonjs"}');
    execFileSync('sh', ['-c', typed(/^npm pkg set/)], { cwd: site, env });
    execFileSync('sh', ['-c', typed(/^cp -r/)], { cwd: site, env });
    start(typed(/sessionwise serve/), env);
    const shop = start(typed(/node start\.js/), env);
    await waitUntil('the shop is open', () => shop.output().includes('The shop is open') || hasEnded(shop), 30_000);
    expect(shop.output()).toContain(`The shop is open: http://127.0.0.1:${port}`);
    await waitUntil('a page has the figures of the service', async () => {
      const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'sec-fetch-dest': 'document' } });
      return (await response.text()).includes('data-state="live"');
    });
  });

  function start(step: string, env: NodeJS.ProcessEnv): ChildProcess & { output(): string } {
    // A group of its own: the shell, npx and what they start.
    const child = spawn('sh', ['-c', step], { cwd: site, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    onTestFinished(() => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
    }
    return Object.assign(child, { output: () => text });
  }
});

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

it('the newest heading of the changelog, the package and its lock agree on the version', () => {
  const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
  const { version } = JSON.parse(read('package.json'));
  const lock = JSON.parse(read('package-lock.json'));
  expect(/^### (\d+\.\d+\.\d+)$/m.exec(read('CHANGELOG.md'))?.[1]).toBe(version);
  expect([lock.version, lock.packages[''].version]).toEqual([version, version]);
});
