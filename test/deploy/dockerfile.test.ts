import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findRegistry } from '../support/find-registry.ts';
import { freePorts } from '../support/free-ports.ts';
import { type InstalledProject, installProject } from '../support/installed-project.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { runDockerfile, type Stage } from './run-dockerfile.ts';

/* dockerfile.test.ts: the Dockerfile without Docker, which a machine of tests need not have. Its steps are done in folders, so
 * that a wrong path is found; then its commands are started, asked and ended as Docker would. */

const FILE = join(import.meta.dirname, '../../deploy/Dockerfile');

describe('the Dockerfile', () => {
  it('has no fault', () => {
    expect(validate(readFileSync(FILE, 'utf8'))).toEqual([]);
  });
});

describe.skipIf(!findRegistry())('the images of the Dockerfile', { timeout: 120_000 }, () => {
  const server = useRedis({ eachTest: 'kept' });
  let project: InstalledProject;
  let folder: string;
  let stages: ReadonlyMap<string, Stage>;
  let children: ChildProcess[] = [];

  beforeAll(async () => {
    project = installProject('express@5', 'express-session@1');
    await project.run('npx', ['--no', 'sessionwise', 'init']);
    folder = mkdtempSync(join(tmpdir(), 'sw-docker-'));
    // Where the project has the package from is no registry, so npm has to find its file from the image, too.
    for (const file of ['package.json', 'package-lock.json']) {
      const text = readFileSync(join(project.folder, file), 'utf8');
      writeFileSync(
        join(project.folder, file),
        text.replaceAll('file:sessionwise', `file:${project.folder}/sessionwise`),
      );
    }
    const text = readFileSync(join(project.folder, 'node_modules/sessionwise/deploy/Dockerfile'), 'utf8');
    stages = await runDockerfile(text, project.folder, folder, async (command, { root, workdir, env }) =>
      execFileSync('sh', ['-c', command], {
        cwd: join(root, workdir),
        env: { ...process.env, ...env, npm_config_prefer_offline: 'true' },
        stdio: 'pipe',
      }),
    );
  }, 240_000);
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    children = [];
  });
  afterAll(() => {
    project?.remove();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  it('run as a user without rights, and hold no secret', () => {
    for (const name of ['service', 'shop']) expect(stages.get(name)?.user).toBe('node');
    const files = [...stages.values()].flatMap(({ root }) => readdirSync(root, { recursive: true }) as string[]);
    expect(files.filter((file) => file.endsWith('.env'))).toEqual([]);
  });

  it('the service starts, is healthy and ends with 0 on SIGTERM', async () => {
    const [port] = await freePorts(1);
    const child = start('service', port!, '9464', { SESSIONWISE_SECRET: 'a secret for tests, and only for them' });
    await waitUntil('it serves', () => child.output().includes('Serving.'), 30_000);
    expect(check('service', port!, '9464')).toBe('healthy');
    const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(child.output()).toContain('Stopped.');
    expect(check('service', port!, '9464')).toBe('unhealthy');
  });

  it('the shop starts, is healthy and ends with 0 on SIGTERM', async () => {
    const [port] = await freePorts(1);
    const child = start('shop', port!, '3379', {
      COOKIE_SECRET: 'a secret for tests, and only for them',
      PORT: String(port),
    });
    await waitUntil('it is open', () => child.output().includes('The shop is open'), 30_000);
    expect(child.output()).toContain('http://0.0.0.0:');
    expect(check('shop', port!, '3379')).toBe('healthy');
    const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, signal: null });
  });

  // Several images may run on this machine: each gets a port that is free, in place of its own.
  const withPort = (words: readonly string[], port: number, own: string) =>
    words.map((word) => word.replace(own, String(port)));

  function start(name: string, port: number, own: string, env: Record<string, string>) {
    const stage = stages.get(name)!;
    const [program, ...args] = withPort(stage.command, port, own);
    const child = spawn(program!, args, {
      cwd: join(stage.root, stage.workdir),
      env: { PATH: process.env.PATH, REDIS_URL: server.url, ...stage.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
    }
    return Object.assign(child, { output: () => text });
  }

  function check(name: string, port: number, own: string): 'healthy' | 'unhealthy' {
    const [program, ...args] = withPort(stages.get(name)!.healthcheck, port, own);
    try {
      execFileSync(program!, args, { stdio: 'pipe' });
      return 'healthy';
    } catch {
      return 'unhealthy';
    }
  }
});
