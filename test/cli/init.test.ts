import {
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
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/cli/config/index.ts';
import { runCli } from '../support/run-cli.ts';
import { useRedis } from '../support/use-redis.ts';

describe('sessionwise init', () => {
  const server = useRedis();
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sw-init-'));
    write('package.json', { name: 'site', dependencies: { sessionwise: '*' } });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (file: string, value: unknown) =>
    writeFileSync(join(folder, file), typeof value === 'string' ? value : JSON.stringify(value));
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const init = (...flags: string[]) => runCli(['init', '--redis', server.url, ...flags], { cwd: folder });
  const all = (): Record<string, string> => Object.fromEntries(readdirSync(folder).map((file) => [file, read(file)]));

  it('writes a configuration that the service takes, and secrets that only their owner reads', async () => {
    const { code, stdout, stderr } = await init();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readdirSync(folder).sort()).toEqual([
      '.env',
      '.gitignore',
      'package.json',
      'sessionwise-site.mjs',
      'sessionwise.json',
      'sessionwise.rules.json',
    ]);
    const config = readConfig(join(folder, 'sessionwise.json'));
    expect(config.segments).toHaveProperty('readers');
    expect(JSON.parse(read('sessionwise.json')).$schema).toBe('./node_modules/sessionwise/schema/config.schema.json');
    expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600);
    const [redis, ...secrets] = read('.env').trim().split('\n');
    expect(redis).toBe(`REDIS_URL=${server.url}`);
    expect(secrets.map((line) => line.split('=')[0])).toEqual(['SESSIONWISE_SECRET', 'COOKIE_SECRET']);
    const values = secrets.map((line) => line.split('=')[1]!);
    expect(values.map((value) => value.length)).toEqual([43, 43]);
    expect(new Set(values).size).toBe(2);
    expect(read('.gitignore')).toBe('node_modules/\n.env\n.sessionwise/\n');
    expect(values.filter((value) => stdout.includes(value))).toEqual([]);
    expect(stdout).toContain('npm install express express-session\n');
    expect(stdout).not.toContain('No Redis answers');
  });

  it('changes nothing when it is done again', async () => {
    await init();
    const before = all();
    const { code, stdout } = await init();
    expect(code).toBe(0);
    expect(all()).toEqual(before);
    expect(stdout.match(/^Left /gm)).toHaveLength(5);
    expect(stdout).toContain('--force');
  });

  it('adds what is missing to .env and .gitignore, and leaves what stands there', async () => {
    write('.env', 'export SESSIONWISE_SECRET=own\nOTHER=1');
    write('.gitignore', '.env\r\ndist/\n');
    const { stdout } = await init();
    expect(read('.env')).toMatch(/^export SESSIONWISE_SECRET=own\nOTHER=1\nREDIS_URL=\S+\nCOOKIE_SECRET=\S{43}\n$/);
    expect(read('.gitignore')).toBe('.env\r\ndist/\nnode_modules/\n.sessionwise/\n');
    expect(stdout).toContain('Others can read .env');
  });

  it('with --force writes its files anew, and keeps the secrets', async () => {
    await init();
    const before = all();
    write('sessionwise.json', '{}');
    const { stdout } = await init('--force', '--framework', 'fastify');
    expect(stdout).toContain('Replaced sessionwise.json');
    expect(read('sessionwise.json')).toBe(before['sessionwise.json']);
    expect(read('sessionwise-site.mjs')).toContain("from 'fastify'");
    expect(read('.env')).toBe(before['.env']);
  });

  it('with --dry-run says what it would do, and does nothing', async () => {
    const { code, stdout } = await init('--dry-run');
    expect(code).toBe(0);
    expect(stdout.match(/^Would write /gm)).toHaveLength(5);
    expect(readdirSync(folder)).toEqual(['package.json']);
  });

  it('finds the framework in package.json, and asks only for what is missing', async () => {
    write('package.json', { dependencies: { sessionwise: '*', fastify: '^5', '@fastify/cookie': '*' } });
    expect((await init()).stdout).toContain('  npm install @fastify/session\n');
    write('package.json', {
      dependencies: { sessionwise: '*', express: '*' },
      devDependencies: { 'express-session': '*' },
    });
    expect((await init()).stdout).toContain('  npx sessionwise doctor --env .env');
  });

  it.each([
    ['koa', { koa: '*' }, 'npm install koa'],
    ['hono', { hono: '*' }, 'npm install @hono/node-server'],
  ])('writes a page in %s for a project of it', async (name, dependencies, install) => {
    write('package.json', { dependencies: { sessionwise: '*', ...dependencies } });
    const { stdout } = await init();
    expect(read('sessionwise-site.mjs')).toContain(`from 'sessionwise/${name}'`);
    expect(stdout.includes(install)).toBe(name === 'hono');
    expect(stdout).toContain(`from 'sessionwise/${name}'`);
  });

  it('writes no page for Next.js, and says where a whole site is', async () => {
    write('package.json', { dependencies: { sessionwise: '*', next: '*', react: '*', 'react-dom': '*' } });
    const { code, stdout } = await init();
    expect(code).toBe(0);
    expect(readdirSync(folder)).not.toContain('sessionwise-site.mjs');
    expect(stdout).not.toContain('sessionwise-site.mjs');
    expect(stdout).toContain('npx next dev');
    const [copyFrom] = stdout.match(/(?<=node_modules\/sessionwise\/)examples\/next/) ?? [];
    expect(readdirSync(join(import.meta.dirname, '../..', copyFrom!))).toContain('proxy.js');
  });

  it('writes the lines for a project of TypeScript so that they compile when strict', async () => {
    const devDependencies = { typescript: '*' };
    write('package.json', { dependencies: { sessionwise: '*', express: '*' }, devDependencies });
    expect((await init()).stdout).toContain('redis: process.env.REDIS_URL!, secret: process.env.SESSIONWISE_SECRET! }');
    expect(read('sessionwise-site.mjs')).toContain('process.env.REDIS_URL,');
    write('package.json', { dependencies: { sessionwise: '*', express: '*' } });
    expect((await init()).stdout).toContain('redis: process.env.REDIS_URL, secret');
  });

  it('says where no Redis answers', async () => {
    await server.stop();
    const { code, stdout } = await init();
    expect(code).toBe(0);
    expect(stdout).toContain(`No Redis answers at ${server.url}`);
    // What `.env` names by then is its owner's.
    expect((await init()).stdout).not.toContain('No Redis answers');
  });

  it.each([
    ['a folder without package.json', async () => rmSync(join(folder, 'package.json')), 'npm init -y'],
    ['a package.json that is no JSON', async () => write('package.json', '{'), 'cannot be read'],
    [
      'a link in place of a file',
      async () => symlinkSync('/etc/passwd', join(folder, 'sessionwise.json')),
      'is no plain file',
    ],
    ['a folder in place of a file', async () => mkdirSync(join(folder, '.env')), 'is no plain file'],
  ])('refuses %s, and writes nothing', async (_, spoil, message) => {
    await spoil();
    const before = readdirSync(folder);
    const { code, stderr } = await init('--force');
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(before);
  });

  it.each([
    [['--framework', 'rails'], 'express, fastify, koa, hono, next'],
    [['--frame'], '--frame'],
    [['--redis', 'nonsense'], 'redis'],
  ])('refuses the flags %j in one sentence', async (flags, message) => {
    const { code, stderr } = await init(...flags);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(readdirSync(folder)).toEqual(['package.json']);
  });

  it('commands read the file of --env, in which what is set already counts less', async () => {
    await init();
    const doctor = (env: NodeJS.ProcessEnv) =>
      runCli(['doctor', '--env', '.env', '--config', 'sessionwise.json'], { cwd: folder, env });
    const read = await doctor({});
    expect(read).toMatchObject({ stderr: '' });
    expect(read.stdout).toContain('Redis');
    expect((await doctor({ REDIS_URL: 'nonsense' })).stderr).toContain('REDIS_URL');
    const missing = await runCli(['doctor', '--env', 'none.env'], { cwd: folder });
    expect(missing).toMatchObject({ code: 2, stderr: 'sessionwise: --env none.env cannot be read (ENOENT).\n' });
  });
});
